CREATE FUNCTION logs.refuse_change()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

COMMENT ON FUNCTION logs.refuse_change() IS
    'BEFORE UPDATE or DELETE: keeps a table append-only, for the owner as well';
REVOKE ALL ON FUNCTION logs.refuse_change() FROM PUBLIC;

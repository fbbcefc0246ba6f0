-- Gapless and race free: the parent row is the lock.
CREATE FUNCTION public.assign_version()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_parent CONSTANT text := to_jsonb(NEW) ->> TG_ARGV[1];
    v_column CONSTANT text := COALESCE(TG_ARGV[2], 'version');
    v_given CONSTANT text := to_jsonb(NEW) ->> v_column;
    v_next integer;
BEGIN
    IF v_given IS NULL THEN
        EXECUTE format('UPDATE %s SET latest_version = latest_version + 1 '
                       'WHERE id = $1 RETURNING latest_version', TG_ARGV[0])
           INTO v_next USING v_parent::integer;
    ELSE
        EXECUTE format('UPDATE %s SET latest_version = GREATEST(latest_version, $2) '
                       'WHERE id = $1 RETURNING $2', TG_ARGV[0])
           INTO v_next USING v_parent::integer, v_given::integer;
    END IF;
    IF v_next IS NULL THEN
        RAISE EXCEPTION '% % does not exist or is not visible', TG_ARGV[0], v_parent
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN jsonb_populate_record(NEW, jsonb_build_object(v_column, v_next));
END
$$;

COMMENT ON FUNCTION public.assign_version() IS
    'BEFORE INSERT trigger: takes the next version number from the parent row';

CREATE FUNCTION monitoring.force_row_security(
    p_table regclass
)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', p_table);
    EXECUTE format('CREATE POLICY owner_all ON %s FOR ALL TO platform_owner '
                   'USING (true) WITH CHECK (true)', p_table);
END
$$;

COMMENT ON FUNCTION monitoring.force_row_security(regclass) IS
    'Row security for everyone including the owner, and the one policy that lets platform_owner '
    'see and write all rows';
REVOKE ALL ON FUNCTION monitoring.force_row_security(regclass) FROM PUBLIC;

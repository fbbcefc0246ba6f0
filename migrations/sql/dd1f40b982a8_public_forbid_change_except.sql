-- Arguments: columns that may still change. WHEN on the trigger says from which state on.
CREATE FUNCTION public.forbid_change_except()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (to_jsonb(NEW) - TG_ARGV::text[]) IS DISTINCT FROM (to_jsonb(OLD) - TG_ARGV::text[]) THEN
        RAISE EXCEPTION '%.% row is immutable; only % may change',
            TG_TABLE_SCHEMA, TG_TABLE_NAME, array_to_string(TG_ARGV, ', ')
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION public.forbid_change_except() IS
    'BEFORE UPDATE trigger for immutable rows (versions, revisions)';

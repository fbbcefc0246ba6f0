-- Needs a server built with ICU; without it the lower() unique indexes carry the rule alone.
DO $do$
BEGIN
    CREATE COLLATION IF NOT EXISTS public.nocase (
        provider = icu, locale = 'und-u-ks-level2', deterministic = false
    );
EXCEPTION WHEN feature_not_supported THEN
    RAISE WARNING 'no ICU in this server: collation "nocase" not created';
END
$do$;

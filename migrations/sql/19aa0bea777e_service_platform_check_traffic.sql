CREATE FUNCTION service_platform.check_traffic()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_touched integer[];
    v_endpoint integer;
    v_total integer;
BEGIN
    v_touched := ARRAY(
        SELECT DISTINCT x
          FROM unnest(ARRAY[CASE WHEN TG_OP <> 'DELETE' THEN NEW.endpoint_id END,
                            CASE WHEN TG_OP <> 'INSERT' THEN OLD.endpoint_id END]) x
         WHERE x IS NOT NULL
         ORDER BY 1);
    FOREACH v_endpoint IN ARRAY v_touched LOOP
        -- serializes concurrent roll-outs
        PERFORM 1 FROM service_platform.endpoints e WHERE e.id = v_endpoint FOR UPDATE;
        SELECT COALESCE(sum(d.traffic_weight), 0) INTO v_total
          FROM service_platform.deployments d
         WHERE d.endpoint_id = v_endpoint AND d.role = 'live' AND d.stopped_at IS NULL;
        IF v_total NOT IN (0, 100) THEN
            RAISE EXCEPTION 'traffic of endpoint % adds up to %, not 100', v_endpoint, v_total
                USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION service_platform.check_traffic() IS
    'Deferred constraint trigger: weights of an endpoint add up to 0 or 100';
REVOKE ALL ON FUNCTION service_platform.check_traffic() FROM PUBLIC;

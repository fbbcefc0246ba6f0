CREATE FUNCTION monitoring.raise_alert(
    p_rule integer,
    p_fingerprint text,
    p_summary text,
    p_value double precision DEFAULT NULL,
    p_labels jsonb DEFAULT '{}',
    p_resolved boolean DEFAULT false
)
    RETURNS bigint
    LANGUAGE sql
    VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO monitoring.alerts AS a
           (rule_id, organization_id, fingerprint, status, severity, summary, value, labels)
    SELECT r.id, r.organization_id, p_fingerprint,
           CASE WHEN r.for_seconds = 0 THEN 'firing' ELSE 'pending' END,
           r.severity, p_summary, p_value, p_labels
      FROM monitoring.alert_rules r
     WHERE r.id = p_rule AND NOT p_resolved
    UNION ALL
    SELECT o.rule_id, o.organization_id, o.fingerprint, o.status, o.severity, o.summary,
           p_value, o.labels
      FROM monitoring.alerts o
     WHERE o.rule_id = p_rule AND o.fingerprint = p_fingerprint
       AND o.resolved_at IS NULL AND p_resolved
    ON CONFLICT (rule_id, fingerprint) WHERE resolved_at IS NULL DO UPDATE
       SET last_seen_at = now(),
           value = excluded.value,
           summary = excluded.summary,
           resolved_at = CASE WHEN p_resolved THEN now() END,
           status = CASE
               WHEN p_resolved THEN 'resolved'
               WHEN a.status = 'pending'
                    AND a.started_at <= now() - interval '1 second' * (
                        SELECT r.for_seconds FROM monitoring.alert_rules r WHERE r.id = a.rule_id)
               THEN 'firing'
               ELSE a.status END
    RETURNING a.id
$$;

COMMENT ON FUNCTION monitoring.raise_alert(integer, text, text, double precision, jsonb, boolean) IS
    'Worker only: opens, refreshes or resolves the one open alert of a rule and subject';
REVOKE ALL ON FUNCTION
    monitoring.raise_alert(integer, text, text, double precision, jsonb, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    monitoring.raise_alert(integer, text, text, double precision, jsonb, boolean)
    TO platform_worker;

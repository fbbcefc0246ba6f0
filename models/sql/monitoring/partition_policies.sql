-- requires: tables, monitoring.schema, public.set_updated_at, logs.audit_row_change
CREATE TRIGGER tr_partition_policies_updated_at
    BEFORE UPDATE ON monitoring.partition_policies
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER tr_partition_policies_audit
    AFTER INSERT OR UPDATE OR DELETE ON monitoring.partition_policies
    FOR EACH ROW EXECUTE FUNCTION logs.audit_row_change('parent_table');

GRANT SELECT ON monitoring.partition_policies TO platform_app, platform_readonly;

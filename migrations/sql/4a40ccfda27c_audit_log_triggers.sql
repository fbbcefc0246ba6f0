CREATE TRIGGER tr_audit_log_append_only
    BEFORE UPDATE OR DELETE ON logs.audit_log
    FOR EACH ROW EXECUTE FUNCTION logs.refuse_change();

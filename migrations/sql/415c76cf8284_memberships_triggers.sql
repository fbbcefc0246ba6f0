CREATE TRIGGER tr_memberships_delete
    AFTER DELETE ON auth.memberships
    FOR EACH ROW EXECUTE FUNCTION auth.leave_home();

-- a seat that changes its user or organization is gone as well
CREATE TRIGGER tr_memberships_move
    AFTER UPDATE OF user_id, organization_id ON auth.memberships
    FOR EACH ROW WHEN ((OLD.user_id, OLD.organization_id)
                       IS DISTINCT FROM (NEW.user_id, NEW.organization_id))
    EXECUTE FUNCTION auth.leave_home();

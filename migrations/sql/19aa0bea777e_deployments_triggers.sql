-- deferred: a roll-out moves several weights and is judged as a whole
CREATE CONSTRAINT TRIGGER tr_deployments_traffic
    AFTER INSERT OR UPDATE OF traffic_weight, role, endpoint_id, stopped_at OR DELETE
    ON service_platform.deployments
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION service_platform.check_traffic();

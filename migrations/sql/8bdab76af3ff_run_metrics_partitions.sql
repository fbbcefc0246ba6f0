-- eight hash partitions spread the inserts of parallel runs
CREATE TABLE algo_platform.run_metrics_p0
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 0)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p1
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 1)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p2
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 2)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p3
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 3)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p4
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 4)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p5
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 5)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p6
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 6)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE algo_platform.run_metrics_p7
    PARTITION OF algo_platform.run_metrics FOR VALUES WITH (MODULUS 8, REMAINDER 7)
    WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

-- a partition inherits neither row security nor rights: closed to all but the owner
ALTER TABLE algo_platform.run_metrics_p0 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p0
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p1 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p1
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p2 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p2
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p3 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p3
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p4 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p4
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p5 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p5
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p6 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p6
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

ALTER TABLE algo_platform.run_metrics_p7 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON algo_platform.run_metrics_p7
    FOR ALL TO platform_owner
    USING (true) WITH CHECK (true);

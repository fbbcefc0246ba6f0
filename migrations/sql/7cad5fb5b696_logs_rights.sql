GRANT SELECT ON logs.audit_log TO platform_app, platform_readonly;

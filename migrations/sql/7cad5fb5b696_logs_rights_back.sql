REVOKE SELECT ON logs.audit_log FROM platform_app, platform_readonly;

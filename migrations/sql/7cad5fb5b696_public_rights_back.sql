REVOKE SELECT ON public.request_logs FROM platform_readonly;
REVOKE INSERT ON public.request_logs FROM platform_log_writer;

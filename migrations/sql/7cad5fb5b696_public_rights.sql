-- no row security here: plain COPY
GRANT SELECT ON public.request_logs TO platform_readonly;
GRANT INSERT ON public.request_logs TO platform_log_writer;

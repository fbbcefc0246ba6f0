CREATE FUNCTION data_platform.contains_plain_secret(
    j jsonb
)
    RETURNS boolean
    LANGUAGE sql
    IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
RETURN jsonb_path_exists(
        j,
        ('$.** ? (@.type() == "object").keyvalue() ? (@.key like_regex "^('
         'password|passwd|pwd|passphrase|secret|token|auth_?token|access_?token|api_?key|'
         'access_?key|secret_?key|private_?key|client_?secret|secret_?access_?key|credentials?'
         ')$" flag "i")')::jsonpath)
    OR jsonb_path_exists(
        j, '$.** ? (@.type() == "string" && @ like_regex "://[^/@:]*:[^/@]+@")');

COMMENT ON FUNCTION data_platform.contains_plain_secret(jsonb) IS
    'True when the document has a key that names a secret or a URL with a password; use *_ref '
    'keys instead';
GRANT EXECUTE ON FUNCTION data_platform.contains_plain_secret(jsonb) TO PUBLIC;

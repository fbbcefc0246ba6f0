-- requires: data_platform.schema
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
         -- no prefix before token: an eos_token is no secret
         'token|auth[_-]?token|access[_-]?token|client[_-]?secret|credentials?|'
         '([a-z0-9]+[_-])*(password|passwd|pwd|passphrase|secret|api[_-]?key|access[_-]?key|'
         'secret[_-]?key|private[_-]?key|secret[_-]?access[_-]?key)'
         ')$" flag "i")')::jsonpath)
    OR jsonb_path_exists(
        j, '$.** ? (@.type() == "string" && @ like_regex "://[^/@:]*:[^/@]+@")')
    OR jsonb_path_exists(
        j,
        '$.** ? (@.type() == "string"
                 && @ like_regex "(^|[ ;?&])(password|pwd)=[^ ;&]+" flag "i")');

COMMENT ON FUNCTION data_platform.contains_plain_secret(jsonb) IS
    'True when the document has a key that names a secret, or a URL or connection string with a '
    'password; use *_ref keys instead';
GRANT EXECUTE ON FUNCTION data_platform.contains_plain_secret(jsonb) TO PUBLIC;

-- Names and texts that try to break out of what surrounds them on a page.
CREATE SCHEMA "S </script><b>|";
COMMENT ON SCHEMA "S </script><b>|" IS '</script><script>alert(1)</script> | `x` &lt;';
SET search_path = "S </script><b>|";
CREATE TYPE "mood|" AS ENUM ('<i>', 'it''s', 'a`b');
CREATE DOMAIN "small" AS integer NOT NULL CHECK (VALUE < 5);
CREATE TABLE "tables" ("pk" integer PRIMARY KEY, "a ""b""%\" "mood|",
    "PERIOD" "small" DEFAULT 1);
COMMENT ON TABLE "tables" IS E'first | line\n# no heading\n```\n<img src=x>';
COMMENT ON COLUMN "tables"."pk" IS '"quoted" *and* _starred_ [not](a link)';
CREATE TABLE "public (x), ""y""" (id integer PRIMARY KEY
    REFERENCES "tables", "no, ""key""" integer UNIQUE);
CREATE TABLE "nothing" ();
CREATE UNIQUE INDEX "i|`" ON "tables" ((pk + 1)) WHERE "PERIOD" > 3 OR pk | 1 = 0;
CREATE VIEW "v" AS SELECT 1 AS "</td>", 'a|b' AS "|", E'\n```\n# x' AS "c";
COMMENT ON VIEW "v" IS '- no list';
CREATE FUNCTION "f<b>"(a text DEFAULT '|`</pre>') RETURNS text LANGUAGE sql
    AS $$ SELECT a $$;
CREATE FUNCTION "f<b>"(a integer) RETURNS integer LANGUAGE sql AS $$ SELECT a $$;
CREATE RULE "r|" AS ON DELETE TO "tables" DO INSTEAD NOTHING;
ALTER TABLE "tables" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "p|" ON "tables" USING ("PERIOD"::text <> '`|</code>');
CREATE SEQUENCE "s </li>";

CREATE SCHEMA "Odd Shop";
CREATE DOMAIN "Odd Shop".positive AS integer NOT NULL CHECK (VALUE > 0);
CREATE DOMAIN "Odd Shop".code AS varchar(8) CHECK (VALUE ~ '^[A-Z]{2}[0-9]{4}$');
CREATE TYPE "Odd Shop".mood AS ENUM ('calm', 'cross', 'it''s fine');
CREATE TYPE "Odd Shop".size AS (width numeric(6, 2), height numeric(6, 2));
CREATE TYPE "Odd Shop".span AS RANGE (subtype = integer);
CREATE EXTENSION vector;

CREATE TABLE "Odd Shop"."Order" (
    "i" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "select" "Odd Shop".code UNIQUE,
    amount "Odd Shop".positive,
    mood "Odd Shop".mood NOT NULL,
    size "Odd Shop".size,
    span "Odd Shop".span,
    parent bigint REFERENCES "Odd Shop"."Order",
    total numeric(8, 2) NOT NULL,
    net numeric(8, 2) NOT NULL,
    gross numeric(8, 2) GENERATED ALWAYS AS (net * 2) STORED,
    CHECK (net < total),
    CHECK (gross <> 7),
    CHECK ((mood = 'cross') = (size IS NOT NULL))
);
CREATE TABLE every_type (
    a smallint PRIMARY KEY, b real, c double precision, d money, e bytea, f char(3),
    g varchar(2), h name, k "char", l date, m time, n timetz, o timestamp(0),
    p timestamptz, q interval, r inet, s cidr, t macaddr, u macaddr8, v bit(5),
    w varbit(9), x tsvector, y tsquery, z uuid, aa json, ab jsonb, ac xml, ad point,
    ae line, af lseg, ag box, ah path, ai polygon, aj circle, ak pg_lsn, al oid,
    am int4range, an tstzrange, ao nummultirange, ap text[], aq integer[][],
    ar vector(5), "as" halfvec(4), at sparsevec(6), au numeric, av numeric(3, 5),
    aw numeric(5, -2), ax boolean
);
CREATE TABLE checked (
    id uuid PRIMARY KEY,
    address text NOT NULL CHECK (pg_input_is_valid(address, 'cidr')),
    digest bytea NOT NULL CHECK (octet_length(digest) = 20),
    label text NOT NULL CHECK (length(label) BETWEEN 3 AND 5),
    phone text NOT NULL CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
    slug text NOT NULL CHECK (slug ~ '^[a-z]+(-[a-z]+)*$' AND slug <> 'admin'),
    mail text NOT NULL CHECK (mail LIKE '%_@_%.__%'),
    percent integer NOT NULL CHECK (percent >= 0 AND percent <= 100),
    share double precision NOT NULL CHECK (share > 0 AND share < 0.5),
    starts date NOT NULL CHECK (starts >= '2020-01-01'),
    ends date NOT NULL,
    kind text NOT NULL CHECK (kind IN ('a', 'b', 'c')),
    body jsonb NOT NULL CHECK (body ->> 'kind' IN ('x', 'y') AND body ? 'note'),
    list jsonb NOT NULL CHECK (jsonb_typeof(list) = 'array'),
    tags text[] NOT NULL CHECK (cardinality(tags) > 0 AND tags <@ '{red,green}'),
    one text, two text, three text,
    even integer NOT NULL CHECK (even % 2 = 0),
    CHECK (ends > starts),
    CHECK (num_nonnulls(one, two, three) = 1),
    CHECK (kind <> 'c' OR percent = 0)
);
CREATE TABLE narrow (
    day timestamptz NOT NULL CHECK (day > '2030-01-01' AND day < '2030-01-02'),
    hour time NOT NULL CHECK (hour BETWEEN '10:00' AND '11:00'),
    age interval NOT NULL CHECK (age >= '1 day'),
    span int4range NOT NULL CHECK (lower(span) > 10),
    body jsonb NOT NULL CHECK ((body ->> 'n')::integer > 5),
    three integer[] NOT NULL CHECK (array_length(three, 1) = 3),
    slope double precision NOT NULL CHECK (slope BETWEEN -1 AND 1),
    word text NOT NULL CHECK (word = lower(word) AND word !~ ' '),
    mail text NOT NULL CHECK (mail ~* '^[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}$'),
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    kind text NOT NULL CHECK (kind IN ('a', 'b') OR kind LIKE 'x-%'),
    port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    last integer NOT NULL,
    monday date NOT NULL CHECK (extract(dow FROM monday) = 1),
    CHECK (last >= port * 2)
);
CREATE TABLE booking (
    room integer NOT NULL,
    during tstzrange NOT NULL CHECK (NOT isempty(during)),
    EXCLUDE USING gist (during WITH &&)
);
CREATE TABLE left_hand (id integer PRIMARY KEY, other integer NOT NULL);
CREATE TABLE right_hand (
    id integer PRIMARY KEY,
    other integer NOT NULL REFERENCES left_hand DEFERRABLE INITIALLY DEFERRED
);
ALTER TABLE left_hand ADD FOREIGN KEY (other) REFERENCES right_hand
    DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE own_parent (id integer PRIMARY KEY, up integer NOT NULL REFERENCES own_parent);
CREATE TABLE ranked (
    place integer UNIQUE DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (place)
);
CREATE TABLE pairs (
    one uuid REFERENCES checked, two bigint REFERENCES "Odd Shop"."Order",
    full_one uuid, full_two text,
    PRIMARY KEY (one, two)
);
CREATE TABLE shelf (a integer, b text, PRIMARY KEY (a, b));
CREATE TABLE book (
    a integer, b text, title text NOT NULL UNIQUE NULLS NOT DISTINCT,
    FOREIGN KEY (a, b) REFERENCES shelf MATCH FULL
);
CREATE TABLE event (at timestamptz NOT NULL, zone text NOT NULL, n integer CHECK (n > 3))
    PARTITION BY LIST (zone);
CREATE TABLE event_north PARTITION OF event FOR VALUES IN ('north')
    PARTITION BY RANGE (at);
CREATE TABLE event_north_may PARTITION OF event_north
    FOR VALUES FROM ('2024-05-01') TO ('2024-06-01');
CREATE TABLE event_south PARTITION OF event FOR VALUES IN ('south', 'far south');
ALTER TABLE event_south ADD CONSTRAINT only_south CHECK (n < 9);
CREATE TABLE hashed (id integer NOT NULL) PARTITION BY HASH (id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE tiny (flag boolean PRIMARY KEY);
CREATE TABLE nothing_to_say ();
CREATE TABLE upper_only (word text PRIMARY KEY);
CREATE UNIQUE INDEX ON upper_only (upper(word)) WHERE word <> '';

CREATE TABLE audited (id integer PRIMARY KEY, amount integer NOT NULL);
CREATE TABLE audit (id bigserial PRIMARY KEY, what text);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'never'; END $$;
CREATE FUNCTION even_sum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.amount > 1000 THEN RAISE EXCEPTION 'too much' USING ERRCODE = '23514'; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuses BEFORE INSERT ON audited FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER TABLE audited ENABLE ALWAYS TRIGGER refuses;
CREATE CONSTRAINT TRIGGER holds AFTER INSERT ON audited DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION even_sum();
ALTER TABLE audited ENABLE ROW LEVEL SECURITY;
ALTER TABLE audited FORCE ROW LEVEL SECURITY;

-- what ordinary values do not fit
CREATE TABLE choosy (
    id uuid PRIMARY KEY CHECK (substr(id::text, 15, 1) = '7'),
    word text NOT NULL UNIQUE CHECK (word !~ '\s' AND word = lower(word)),
    place integer NOT NULL UNIQUE CHECK (place % 7 = 3),
    key text NOT NULL CHECK (left(key, 8) = 'sk_live_'),
    pair integer[] NOT NULL CHECK (cardinality(pair) = 2 AND pair[1] < pair[2]),
    path jsonb NOT NULL CHECK (path #>> '{a,b}' IS NOT NULL),
    net cidr NOT NULL CHECK (masklen(net) = 24),
    since tstzrange NOT NULL CHECK (upper_inf(since) AND NOT lower_inf(since)),
    unit vector(3) NOT NULL CHECK (abs(vector_norm(unit) - 1) < 0.001)
);
CREATE TABLE daily (at timestamp NOT NULL, code text NOT NULL);
CREATE UNIQUE INDEX ON daily (date_trunc('day', at));
CREATE INDEX ON daily ((code::integer));
CREATE TABLE any_model (model integer NOT NULL, embedding vector NOT NULL);
CREATE INDEX ON any_model USING hnsw ((embedding::vector(384)) vector_cosine_ops);
CREATE TABLE own_number (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    up bigint NOT NULL REFERENCES own_number
);
CREATE TABLE branch (
    tree integer, id integer, up integer,
    PRIMARY KEY (tree, id), FOREIGN KEY (tree, up) REFERENCES branch
);
CREATE TABLE long_key (id bigint PRIMARY KEY);
CREATE TABLE short_key (id integer PRIMARY KEY, long integer NOT NULL REFERENCES long_key);
CREATE TABLE quarter (id integer PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE quarter_3 PARTITION OF quarter FOR VALUES WITH (MODULUS 4, REMAINDER 3);
DO $$ BEGIN EXECUTE (
    SELECT format('CREATE TABLE wide (%s)', string_agg(format('c%s integer', n), ', '))
      FROM generate_series(1, 1000) AS n
); END $$;
CREATE FUNCTION big(n integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT n > 5';
CREATE FUNCTION rests(n integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN big(n); END $$;
CREATE TABLE helped (n integer NOT NULL CHECK (rests(n)));
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (id);
CREATE TABLE numbered_1 PARTITION OF numbered FOR VALUES FROM (1) TO (1000);
CREATE TABLE computed_parent (id integer PRIMARY KEY CHECK (id > 0));
CREATE TABLE computed_child (
    a integer NOT NULL,
    b integer GENERATED ALWAYS AS (abs(a)) STORED REFERENCES computed_parent
);
CREATE TYPE price AS (amount numeric(10, 2), currency char(3));
CREATE TABLE shaped (
    id integer PRIMARY KEY,
    price price NOT NULL CHECK ((price).amount > 0 AND (price).currency IN ('EUR', 'USD')),
    body jsonb NOT NULL CHECK (
        jsonb_typeof(body) = 'object' AND body ?& ARRAY['kind', 'items']
        AND body ->> 'kind' IN ('a', 'b') AND jsonb_typeof(body -> 'items') = 'array'),
    code text NOT NULL CHECK (code ~ '^[A-Z]+$' AND length(code) = 7)
);

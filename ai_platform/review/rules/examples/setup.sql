CREATE TABLE people (
    id bigint PRIMARY KEY,
    name varchar(50),
    age integer,
    seen timestamptz DEFAULT now()
);
INSERT INTO people SELECT i, 'n' || i, i FROM generate_series(1, 3000) i;
CREATE TABLE orders (id bigint PRIMARY KEY, person_id bigint, amount integer);
INSERT INTO orders SELECT i, i, i FROM generate_series(1, 3000) i;
CREATE INDEX orders_person ON orders (person_id);
CREATE TABLE events (id bigint, day integer NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (2);
INSERT INTO events SELECT i, 1 FROM generate_series(1, 3000) i;
CREATE TABLE events_2 (id bigint, day integer NOT NULL);
INSERT INTO events_2 SELECT i, 2 FROM generate_series(1, 3000) i;
CREATE TYPE mood AS ENUM ('calm', 'cross');

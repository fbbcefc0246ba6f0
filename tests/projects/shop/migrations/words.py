"""What only this project's package `migrations` has."""

TRIGGER_BODY = """
CREATE FUNCTION note_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.price_cents % 5 <> 0 THEN
        RAISE NOTICE 'odd price %', NEW.price_cents;
    END IF;
    RETURN NEW;
END
$$;
"""

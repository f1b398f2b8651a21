-- A node that shows another key than before makes every configuration stale that names the old one. This stays until
-- a person has seen it.
ALTER TABLE interfaces
    -- The key before the first change that nobody has acknowledged.
    ADD COLUMN former_public_key TEXT,
    -- When the last such change was seen.
    ADD COLUMN key_changed_at TIMESTAMPTZ,
    ADD CONSTRAINT interfaces_key_change_whole CHECK ((former_public_key IS NULL) = (key_changed_at IS NULL));

-- Everything that was changed or refused, each row chained to the one before.
CREATE TABLE audit_log (
    seq        BIGINT PRIMARY KEY,
    at         TIMESTAMPTZ NOT NULL,
    actor      TEXT NOT NULL,
    actor_kind TEXT NOT NULL CONSTRAINT audit_log_actor_kind_known
               CHECK (actor_kind IN ('user', 'api_key', 'cli', 'controller', 'nobody')),
    ip         INET,
    request_id TEXT,
    action     TEXT NOT NULL,
    object     TEXT NOT NULL,
    outcome    TEXT NOT NULL CONSTRAINT audit_log_outcome_known CHECK (outcome IN ('done', 'refused', 'failed')),
    -- What it was and what it became, without secrets. Kept as text: the hash covers these very bytes.
    before     TEXT,
    after      TEXT,
    prev_hash  BYTEA NOT NULL,
    hash       BYTEA NOT NULL
);
CREATE INDEX audit_log_by_object ON audit_log (object, seq);

-- The end of the chain; who appends holds this row.
CREATE TABLE audit_head (
    one  BOOLEAN PRIMARY KEY DEFAULT true CONSTRAINT audit_head_is_one CHECK (one),
    seq  BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
INSERT INTO audit_head (seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What happened, for live pages and webhooks.
CREATE TABLE events (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     TIMESTAMPTZ NOT NULL DEFAULT now(),
    topic  TEXT NOT NULL,
    kind   TEXT NOT NULL,
    object TEXT NOT NULL,
    data   JSONB NOT NULL DEFAULT '{}'
);
CREATE INDEX events_age ON events (at);

-- Whoever inserts holds this lock until its transaction ends, and takes it before ids are drawn: so ids are committed in
-- their order, and a reader who goes on after the highest one it saw misses none. Commits that notify wait for each
-- other anyway, so this costs nothing where events are the last that a transaction writes.
CREATE FUNCTION order_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(x'7767666576656e74'::bigint);
    RETURN NULL;
END
$$;
CREATE TRIGGER events_in_order BEFORE INSERT ON events
    FOR EACH STATEMENT EXECUTE FUNCTION order_events();

CREATE FUNCTION announce_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY wgfleet_events;
    RETURN NULL;
END
$$;
CREATE TRIGGER events_announce AFTER INSERT ON events
    FOR EACH STATEMENT EXECUTE FUNCTION announce_events();

CREATE TABLE webhooks (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        TEXT NOT NULL CONSTRAINT webhooks_name_key UNIQUE,
    -- Its path and query are signed as they stand here.
    url         TEXT NOT NULL,
    -- Kinds of events, or topics; empty: all.
    kinds       TEXT[] NOT NULL DEFAULT '{}',
    sealed      BYTEA NOT NULL,
    data_key_id BIGINT NOT NULL CONSTRAINT webhooks_data_key REFERENCES data_keys,
    enabled     BOOLEAN NOT NULL DEFAULT true,
    -- Events up to here have their deliveries.
    seen        BIGINT NOT NULL DEFAULT 0,
    version     BIGINT NOT NULL DEFAULT 1,
    created_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE webhook_deliveries (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id      BIGINT NOT NULL CONSTRAINT webhook_deliveries_webhook REFERENCES webhooks ON DELETE CASCADE,
    event_id        BIGINT NOT NULL,
    -- The exact bytes that are signed and sent: the event may be gone by the time of a replay.
    body            TEXT NOT NULL,
    -- When it was last asked for, by the event or by a person; attempts and giving up count from here.
    wanted_at       TIMESTAMPTZ NOT NULL DEFAULT now(),
    attempts        INTEGER NOT NULL DEFAULT 0,
    -- Null: delivered, or given up.
    next_attempt_at TIMESTAMPTZ DEFAULT now(),
    -- An attempt is under way, and until when that is believed.
    leased_until    TIMESTAMPTZ,
    -- How the last attempt went.
    attempted_at    TIMESTAMPTZ,
    status          INTEGER,
    problem         TEXT,
    delivered_at    TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT webhook_deliveries_once UNIQUE (webhook_id, event_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_of ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);

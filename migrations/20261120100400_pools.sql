-- A named set of nodes. Placement `one`: a peer lives on one of them; `all`: on each.
CREATE TABLE pools (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        TEXT NOT NULL CONSTRAINT pools_name_key UNIQUE,
    placement   TEXT NOT NULL DEFAULT 'one' CONSTRAINT pools_placement_known CHECK (placement IN ('one', 'all')),
    description TEXT NOT NULL DEFAULT '',
    version     BIGINT NOT NULL DEFAULT 1,
    created_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE pool_members (
    pool_id BIGINT NOT NULL CONSTRAINT pool_members_pool REFERENCES pools ON DELETE CASCADE,
    node_id BIGINT NOT NULL CONSTRAINT pool_members_node REFERENCES nodes ON DELETE CASCADE,
    PRIMARY KEY (pool_id, node_id)
);
CREATE INDEX pool_members_by_node ON pool_members (node_id);

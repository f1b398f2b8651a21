-- A new peer is weighed against every node of its network. Few of these are in doubt at any time: finding them must
-- not mean reading what is known of all.

CREATE INDEX node_status_doubtful ON node_status (node_id) WHERE reachability <> 'online';
CREATE INDEX interface_sync_unlearned ON interface_sync (interface_id) WHERE config_at IS NULL;

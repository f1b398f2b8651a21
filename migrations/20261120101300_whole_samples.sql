-- Charts of nodes and interfaces read rows without a peer, one among hundreds of the same span: an index of just these
-- is what keeps such a chart to the rows that it draws. Nobody reads all peers of an interface over time.
DROP INDEX samples_minute_of_interface;
CREATE INDEX samples_minute_of_interface ON samples_minute (interface_id, at) WHERE peer_id IS NULL;
DROP INDEX samples_hour_of_interface;
CREATE INDEX samples_hour_of_interface ON samples_hour (interface_id, at) WHERE peer_id IS NULL;
DROP INDEX samples_day_of_interface;
CREATE INDEX samples_day_of_interface ON samples_day (interface_id, at) WHERE peer_id IS NULL;

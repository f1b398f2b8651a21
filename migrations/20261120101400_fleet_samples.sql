-- What all interfaces together carried is read by time; the rows of single peers are many times as many.
CREATE INDEX samples_minute_of_fleet ON samples_minute (at) WHERE peer_id IS NULL;
CREATE INDEX samples_hour_of_fleet ON samples_hour (at) WHERE peer_id IS NULL;
CREATE INDEX samples_day_of_fleet ON samples_day (at) WHERE peer_id IS NULL;

-- Lists of peers in the order of their names, page by page.
CREATE INDEX peers_by_name ON peers (name, id);

# Search and the palette.
search = Search
search-why = Commands, nodes, peers, networks and pools.
go-to = Go to
nothing-found = Nothing is called like that.

# Who goes where.
who-goes-where = Who goes where
topology-grouped = There are many nodes: they are drawn by country.
topology-none = Nothing to draw yet
topology-none-why = Networks, pools and nodes appear here once they are there.
no-pool = any node
no-country = no country
link-live = live
link-moving = taking changes
link-configured = configured, not seen
link-blocked = blocked

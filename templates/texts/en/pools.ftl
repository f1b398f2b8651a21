# Pools and placement.
pools-summary = Named sets of nodes: a peer that names one lives on its members.
pools-none = No pools yet
pools-none-why = A pool is a named set of nodes. Peers that name it live on one of them, or on all.
pool-load = Peers of places, on its nodes
pool-dead = No node online
placement = Placement
placement-one = On one member
placement-all = On all members
placement-one-long = A peer lives on one member, chosen by weight
placement-all-long = A peer lives on every member
named-by-peers = Peers that name it
members = Members
members-why = new peers go by weight
members-none = No members yet
members-none-why = A pool without members places nobody.
share-by-weight = Share, by weight
member-add = Add node
member-added = The node is a member.
member-remove = Take out
member-removed = The node is no member any more.
member-take-out = Take { $node } out of { $pool }
member-leaves-one = Its peers stay where they are. New peers of this pool go to other members.
member-leaves-all = { $count ->
    [one] { $shown } peer of this pool leaves the node at once, and stays on the other members.
   *[other] { $shown } peers of this pool leave the node at once, and stay on the other members.
}
pool-peers = { $count ->
    [one] { $shown } peer names this pool
   *[other] { $shown } peers name this pool
}
pool-name-hint = A DNS label, such as north
pool-made = Pool { $name } is there.
pool-changed = Pool { $name } is changed.
pool-deleted = Pool { $name } is deleted.
save-pool = Save pool
delete-pool = Delete pool
pool-delete-why = No peer names it. Its nodes stay as they are.
pool-in-use = { $count ->
    [one] { $shown } peer names it: only a pool that no peer names is deleted.
   *[other] { $shown } peers name it: only a pool that no peer names is deleted.
}
pool-placement-stays = How it places stays as long as peers name it.
preview = Where the next 100 peers would go
preview-network = Peers of network
preview-none = None of them finds a place.
preview-all = { $count ->
    [one] { $shown } finds a place. Nothing is placed by looking.
   *[other] All { $shown } find a place. Nothing is placed by looking.
}
preview-some = { $count ->
    [one] Only { $shown } finds a place, then nobody can take one more.
   *[other] Only { $shown } find a place, then nobody can take one more.
}
preview-gets = Of the next 100
preview-takes = fewest peers per weight
preview-standing = { $peers } peers now, weight { $weight }
reason-tied = equally loaded, and behind in order
reason-loaded = more peers per weight
reason-same-node = another interface of its node has them
reason-full = full
reason-drained = weight 0
reason-unreachable = not reachable
reason-disabled = disabled
reason-not-in-pool = not in the pool

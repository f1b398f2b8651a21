# Why something was not done, by the code of the refusal.
refusal-not_found = There is nothing here.
refusal-internal = The controller failed; its log says why.
refusal-forbidden = Your role does not extend to this.
refusal-database_unavailable = The database is not to be had at the moment: try again soon.
refusal-starting = The controller is starting: try again in a moment.
refusal-not_signed_in = Sign in first.
refusal-version_mismatch = Somebody changed it meanwhile: read it again.
refusal-invalid_form = The form does not fit: load the page again.
refusal-invalid_query = The address of this page asks for something that cannot be.
refusal-invalid_cursor = This place in the list is not one that was given out: begin again.
refusal-not_a_form = The body must be a form.
refusal-body_too_large = This is larger than the controller takes.
refusal-method_not_allowed = This address does not take that.
refusal-unknown_language = This language is not spoken here.
refusal-name_taken = This name is taken already.
refusal-invalid_name = A name has 1 to 100 characters and no control characters.
refusal-unknown_network = There is no such network.
refusal-unknown_pool = There is no such pool.
refusal-unknown_node = There is no such node.
refusal-unknown_reach = The pool or network that it is limited to is not known.
refusal-limited_admin = An administrator reaches everything: choose the whole fleet.
refusal-last_admin = The last enabled administrator can be neither deleted, disabled nor given another role.
refusal-unknown_time_zone = No time zone is called that.
refusal-bearer_writes = Only a key of scope read may have a bearer token.
refusal-expired = The key would have expired already.
refusal-setup_closed = This link was used, has expired, or was replaced when the controller started again.
refusal-totp_in_use = An authenticator is in use already: remove it first.
refusal-wrong_code = This is not the code that the authenticator should show now.
refusal-passkey_known = This passkey is known already.
refusal-prefix_overlaps = { $prefix } overlaps { $other } of network { $network }.
refusal-prefix_overlaps-plainly = The prefix overlaps that of another network.
refusal-prefix_overlaps_route = { $prefix } overlaps { $route }, which is behind peer { $peer }.
refusal-two_prefixes_of_a_family = A network has at most one prefix of each family.
refusal-network_in_use = The network still holds { $peers } peers and { $interfaces } interfaces.
refusal-no_prefix = A network has at least one prefix.
refusal-static_peers = { $count } static peers would keep their old addresses: { $peers }
refusal-static_peers-plainly = Static peers would keep their old addresses.
refusal-interface_addresses = Interfaces have addresses outside of the new prefix: change these first.
refusal-interface_pools = Interfaces have pools outside of the new prefix: change these first.
refusal-prefix_outside = This is in none of the network’s prefixes.
refusal-addresses_in_use = { $count ->
    [one] { $count } address in { $prefix } is in use.
   *[other] { $count } addresses in { $prefix } are in use.
}
refusal-reservation_overlaps = This overlaps another reservation.
refusal-unsuitable = No prefix fits: the base has no room for that many peers.
refusal-address_outside = The address is in none of the network’s prefixes.
refusal-address_unusable = No peer may have this address: it is reserved, or an edge of its prefix.
refusal-pool_exhausted = { $range } has no room left: { $free } free.
refusal-address_taken = { $address } belongs to { $holder }.
refusal-address_taken-plainly = The address belongs to somebody else.
refusal-two_addresses_of_a_family = A peer has one address of each family.
refusal-agent_url_taken = A node with this agent URL exists.
refusal-secret_taken = Another node has this secret; each needs its own.
refusal-node_in_use = { $peers ->
    [one] The node still holds { $peers } peer.
   *[other] The node still holds { $peers } peers.
}
refusal-no_interface = The node has no interface yet: name the one to look at.
refusal-interface_in_use = { $peers ->
    [one] The interface still holds { $peers } peer.
   *[other] The interface still holds { $peers } peers.
}
refusal-another_key = The interface has another key than that: look at it again.
refusal-interface_moved = The interface just moved to another network.
refusal-interface_busy = Somebody is at work on this interface: try again in a moment.
refusal-last_node_of_network = { $node } is the last enabled node that serves { $networks }, which has peers.
refusal-ip_pool_overlaps = The pool overlaps { $ip_pool } of interface { $interface } of node { $node }.
refusal-ip_pool_overlaps-plainly = The pool overlaps that of another interface.
refusal-two_pools_of_a_family = An interface has at most one pool of each family.
refusal-ip_pool_outside_network = { $ip_pool } is not inside the network, which has { $prefixes }.
refusal-interface_key_unknown = The public key of { $interface } on node { $node } is not known yet: the node has not told it.
refusal-unknown_key = Not all of these are unknown keys of the interface any more.
refusal-cannot_adopt = Some of the keys cannot be adopted.
refusal-key_unusable = This is not a key that a peer can have.
refusal-key_elsewhere = Another node holds the key as well.
refusal-plan_applied = This plan was carried out already.
refusal-world_moved = What should be or what is has changed since the plan was made: make another one.
refusal-peers_refused = The node refused some of the peers.
refusal-key_taken = A peer with this public key exists.
refusal-route_overlaps = What lies behind the peer overlaps { $route }, which is behind peer { $peer }.
refusal-route_overlaps-plainly = What lies behind the peer overlaps another prefix behind a peer.
refusal-route_overlaps_network = { $route } overlaps { $prefix } of network { $network }.
refusal-no_owner = There is no such owner.
refusal-no_node = No node can take the peer: each is full, drained, disabled, unreachable or not in the pool.
refusal-nowhere_named = Choose a node, a pool, or both.
refusal-placed_everywhere = Pool { $pool } places its peers on every member: choose another pool, or none, with the node.
refusal-node_elsewhere = Node { $node } does not serve network { $network }, which the peer stays in.
refusal-pool_elsewhere = No member of pool { $pool } serves network { $network }, which the peer stays in.
refusal-not_a_member = Node { $node } is no member of pool { $pool }: choose another pool, or none, with the node.
refusal-no_address = The peer has no address in the network.
refusal-same_key = Two nodes of the peer have the same public key.
refusal-nothing_to_reach = A node has no address in a family that the peer has one in.
refusal-allowed_ips_overlap = Two nodes of the peer would claim the same addresses.
refusal-config_too_long = The configuration is too long for this picture.
refusal-peer_isolated = The peer is isolated: nobody gets its configuration.
refusal-invalid_tag = A tag has 1 to 64 bytes, without commas and control characters.
refusal-unknown_act = This cannot be done with many peers.
refusal-too_many = That are more peers than can be changed at once.
refusal-number_of_rows = 1 to 10,000 peers can be made at once.
refusal-invalid_rows = Some rows are wrong; none was taken.
refusal-last_member = { $peers ->
    [one] { $peers } peer would be on no node at all.
   *[other] { $peers } peers would be on no node at all.
}
refusal-node_full = The node takes at most { $max_peers } peers, has { $peers }, and would get { $more } more.
refusal-pool_in_use = { $peers ->
    [one] { $peers } peer names this pool.
   *[other] { $peers } peers name this pool.
}
refusal-unreachable = The node does not answer.
refusal-wrong_secret = The node’s agent has another secret.
refusal-clock_skew = The node’s clock is too far from that of the controller.
refusal-unsigned = The node’s answer is not signed.
refusal-bad_signature = The signature of the node’s answer does not match.
refusal-not_an_agent = What answers there is no agent.
refusal-too_early = The node’s agent just started: try again in a moment.
refusal-malformed_answer = The node’s answer cannot be understood.
refusal-request_too_large = This is more than the node’s agent takes at once.
refusal-unsendable = The request to the node cannot be sent.
refusal-interface_missing = The node has no such interface.
refusal-busy = The node’s agent is busy: try again in a moment.
refusal-refused = The node’s agent refused.
refusal-generation_mismatch = The node has moved on meanwhile: try again.
refusal-peer_exists = The node has this peer already.
refusal-peer_unknown = The node does not know this peer.
refusal-allowed_ip_taken = Another peer on the node has one of the addresses.
refusal-mass_removal = The node refuses to remove that many peers at once.
refusal-not_durable = The node did it, but could not keep it on its disk.
refusal-replayed = The node saw this request before.

nodes-summary = { $count ->
    [one] { $shown } node. The four bars stand for reachable, interface up, in sync and carrying traffic.
   *[other] { $shown } nodes. The four bars stand for reachable, interface up, in sync and carrying traffic.
}
nodes-search = Name of a node
nodes-none-match = No node matches
nodes-none = No nodes yet
nodes-none-why = A node is a server that runs WireGuard and the agent. Add one and its peers appear here.
node-no-interface = no interface yet
node-in-sync-at = in sync at { $generation }
node-behind = { $count ->
    [one] { $shown } change on its way
   *[other] { $shown } changes on their way
}
node-interfaces = { $shown } interfaces
state-online = Online
state-disabled = Disabled
state-pending = Pending
state-offline = Offline
state-error = Error
state-refused = Refused
state-drift = Drift
state-applying = Applying
state-full = Full

# A node in the list and on its page.
node-now = Now
node-not-compared = not compared yet
node-last-hour = Last hour
node-not-known = not known
node-traffic = Traffic
node-traffic-of = Traffic of { $name }
node-traffic-gaps = The newest first. What nobody measured is not known, which is not the same as nothing.
node-traffic-unknown = Nothing was measured in this time
node-traffic-unknown-why = Each minute the controller writes down what went through a node that answers.
node-traffic-none = nothing in the last minutes
node-traffic-from-samples = both ways, from the newest sample
node-range = How far back
node-range-1h = 1 h
node-range-24h = 24 h
node-range-7d = 7 d
node-from-moment = From
node-received-by-node = received from peers
node-sent-by-node = sent to peers
node-as-table = As a table
node-evidence-reachable = Reachable
node-evidence-up = Interface up
node-evidence-in-sync = In sync
node-evidence-traffic = Carrying traffic
node-clock-ahead = clock { $ms } ms ahead
node-clock-behind = clock { $ms } ms behind
node-agent-version = agent { $version }
node-interface-is-up = { $name } is up
node-interface-is-not-up = { $name } is not up
node-interfaces-up = { $up } of { $all } are up
node-machine-up = machine up for { $span }
node-in-sync-yes = yes, seen
node-in-sync-refused = no, the node refuses
node-unasked-peers = { $count ->
    [one] { $shown } peer nobody asked for
   *[other] { $shown } peers nobody asked for
}
node-has-and-wants = has generation { $has }, wants { $wants }

# Testing a connection.
node-test = Test connection
node-test-of = Connection to { $name }
node-test-again = Test again
node-test-intro = A few signed calls that change nothing tell whether the node answers, whether the secret fits and whether the interface is there.
node-test-well = The connection is well
node-test-not-well = The connection is not well
node-not-tested = Not tested yet
node-outcome-ok = Well
node-outcome-failed = Failed
node-outcome-not-asked = Not asked
node-check-reachable = Reachable:
node-check-agent = Agent:
node-check-signature = Signature:
node-check-clock = Clock:
node-check-interface = Interface:
node-check-wireguard = WireGuard:

# Forms.
node-new-intro = Install the agent on the server first, then say here how to reach it.
node-name-hint = Small letters, digits and hyphens, such as fra-1
node-agent-url = Agent URL
node-agent-url-hint = Such as https://fra-1.example.com:8443
node-secret = Secret
node-secret-hint = What the agent is called with, at least 32 characters. Leave it empty and one is made up and shown once.
node-key-id = Id of the secret
node-key-id-hint = What the agent calls it; leave it empty if it has one secret only
node-legacy = The agent is of another make and cannot sign its answers
node-interface = Interface
node-interface-name = Device
node-endpoint = Endpoint
node-endpoint-hint = Where peers reach it, such as fra-1.example.com:51820
node-network = Network
node-no-network = There is no network yet.
node-range-v4 = IPv4 range of its own
node-range-v6 = IPv6 range of its own
node-range-hint = A part of the network, such as 10.8.1.0/24. Peers here get their addresses from it.
node-policy = Peers nobody asked for
node-policy-report = are shown
node-policy-adopt = are adopted
node-policy-enforce = are removed
node-placement = Placement
node-weight-hint = Its share beside other nodes; 0 takes no new peers
node-max-peers = Most peers
node-max-peers-hint = 0 is no limit
node-region = Region
node-region-hint = To group nodes by, such as eu-west
node-country = Country
node-country-hint = Two letters
node-operator-country = Country of the operator
node-operator-country-hint = Where whoever runs the machine has its seat, in two letters
node-timeout = Time limit of calls, in ms
node-timeout-hint = Empty: as the fleet is set
node-notes = Notes
node-cancel = Cancel
node-save = Save
node-back = Back to the node
node-keep = Keep it
node-added = { $name } is added. It is asked for the first time now.
node-changed = { $name } is changed.
node-edit = Edit
node-edit-of = Edit { $name }
node-edit-intro = What is said here is what should be; the node is asked by it from the next poll on.

# The secret.
node-secret-of = Secret of { $name }
node-secret-intro = Replace it here when you replace it on the server. The earlier one is forgotten at once, and the node does not answer until both sides have the same.
node-secret-replace = Replace secret
node-secret-replaced = The secret is replaced. The node is asked with it now.
node-secret-once = It is shown this once and cannot be read again.
node-secret-next = Give it to the agent on the server. Until then the node does not answer.
node-secret-kept = I have kept it
node-copied = Copied
node-copy-secret = Copy the secret
node-copy-key = Copy the key
node-copy-url = Copy the agent URL
node-copy-endpoint = Copy the endpoint

# Enabling, disabling, deleting.
node-disable = Disable
node-enable = Enable
node-disabled = { $name } is disabled: it is neither asked nor told anything, and keeps its peers.
node-enabled = { $name } is enabled and asked again.
node-delete = Delete
node-delete-node = Delete { $name }
node-delete-node-asks = Delete { $name }?
node-delete-node-interfaces = { $count ->
    [0] It has no interface.
    [one] { $shown } interface goes with it, its settings and its evidence.
   *[other] { $shown } interfaces go with it, their settings and their evidence.
}
node-delete-node-machine = The server is not told: WireGuard and the agent go on there as they are.
node-delete-held-by = { $count ->
    [one] { $shown } peer lives here. Move it or delete it first.
   *[other] { $shown } peers live here. Move or delete them first.
}
node-its-peers = Show its peers
node-deleted = { $name } is deleted.
node-delete-interface = Delete { $name }
node-delete-interface-asks = Delete { $name } of { $node }?
node-delete-interface-addresses = Its range and its addresses rest and are given again later.
node-delete-interface-machine = The device on the server stays as it is.
node-interface-deleted = The interface is deleted.

# Interfaces.
node-interface-named = Interface { $name }
node-no-interface-why = Add one, and peers can be placed on this node.
node-add-interface = Add an interface
node-add-interface-to = Add an interface to { $node }
node-edit-interface = Edit { $name } of { $node }
node-interface-intro = The device is on the server already, or will be: nothing is created there.
node-interface-added = { $name } is added.
node-interface-changed = { $name } is changed.
node-public-key = Public key
node-own-range = Own range
node-whole-network = none, the whole network
node-addresses = Own addresses
node-generation = Generation
node-takes-none = takes no new peers
node-no-limit = no limit
node-key-changed = The key of { $name } changed
node-key-changed-why = Configurations that name the old key no longer work. If nobody replaced it on purpose, find out who did before you go on.
node-key-acknowledge = Acknowledge the new key
node-key-acknowledged = The new key is acknowledged.
node-refuses = { $name } refuses a change
node-is-legacy = answers unsigned

# What a node holds that nobody asked for.
node-drift-on = Drift on { $name }
node-drift-peer = Peer nobody asked for
node-drift-peer-unasked = on the node, asked for by nobody here
node-drift-psk = (known to the node alone)
node-first-seen = first seen
node-handshake-at = handshake { $ago }
node-handshake-never = never a handshake
node-adopt = Adopt
node-adopt-as = Name (optional)
node-adopt-all = Adopt all
node-adopted = { $count ->
    [0] Nobody was adopted.
    [one] { $shown } peer is adopted and keeps all it has.
   *[other] { $shown } peers are adopted and keep all they have.
}
node-adopted-not = { $shown } left as they are, the first because { $why }.
node-remove = Remove
node-remove-all = Remove all
node-remove-asks = { $count ->
    [one] Remove { $shown } peer?
   *[other] Remove { $shown } peers?
}
node-remove-from = { $node } takes them off { $interface } at once. Their sessions end, and nothing here can bring them back.
node-remove-none = The node holds no such peer any more
node-remove-them = { $count ->
    [one] Remove { $shown } peer
   *[other] Remove { $shown } peers
}
node-removed = { $count ->
    [one] { $shown } peer is removed from the node.
   *[other] { $shown } peers are removed from the node.
}

# Peers and log of a node.
node-ages = Age of last handshake
node-ages-of = Peers of { $name } by age of their last handshake
node-ages-count = { $count ->
    [one] { $shown } peer
   *[other] { $shown } peers
}
node-ages-none = No peer was seen on it yet.
node-peers-on = Peers on { $name }
node-busiest-first = Busiest first
node-all-peers = All { $shown }
node-no-peers = No peers here yet
node-no-peers-why = Peers are placed here by the weight of the node, or by hand.
node-address = Address
node-handshake = Handshake
node-audit-of = Audit of { $name }

# Plans.
node-plan = Plan
plan-make = Show the plan
plan-asks-node = Asks the node and shows what would be done, line by line.
plan-of = What would be done about { $interface } of { $node }
plan-summary = { $added } added, { $changed } changed, { $removed } removed, { $adopted } adopted. Who is untouched keeps the session.
plan-nothing = Nothing to do
plan-nothing-why = The node holds what it should.
plan-more = { $count ->
    [one] and { $shown } line more
   *[other] and { $shown } lines more
}
plan-refused-if-moved = Refused if the node or the wish changes first.
plan-apply = Apply plan
plan-applied = Applied at generation { $generation }.
plan-was-applied = Applied
plan-held-back = Remove { $count } of { $all } peers although they are so many
plan-why-forbidden = goes: deleted, disabled or isolated here
plan-why-expired = goes: its time is over
plan-why-unknown = goes: nobody asked for it
plan-releases = lets go of addresses that another is to have
plan-adopts = becomes a peer of the fleet as it is
plan-reports = stays: nobody asked for it, a person decides
plan-blocked = cannot be written while { $owner } has { $address }
plan-psk-lost = the node lost its preshared key, which only the node knew
plan-unproven = its preshared key may differ; writing it is harmless
node-differs-missing = is missing on the node
node-differs-allowed-ips = has other addresses
node-differs-keepalive = has another keepalive
node-differs-psk = has another preshared key
node-differs-expiry = expires at another time
node-differs-foreign = the agent would not restore it

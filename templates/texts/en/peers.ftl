peers-summary = { $count ->
    [one] { $shown } peer. Online means a handshake in the last 3 min.
   *[other] { $shown } peers. Online means a handshake in the last 3 min.
}
peers-summary-rough = { $count ->
    [one] About { $shown } peer. Online means a handshake in the last 3 min.
   *[other] About { $shown } peers. Online means a handshake in the last 3 min.
}
peers-search = Name, key, address, owner, tag
peers-any-node = Any node
peers-online = Online
peers-waiting = Waiting for their nodes
peers-disabled = Disabled
peers-expired = Expired
peers-isolated = Isolated
peers-none-match = No peer matches
peers-none = No peers yet
peers-none-why = A peer is a device or a site that a node lets in. Create one, and it appears here with its evidence.
peers-select-page = Select this page
peers-select = Select { $name }
peers-selected = selected
peers-selected-acts = Actions for the selected peers
peers-all-that-match = All that match
peers-page = 50 per page,
density-compact = Less room per row
density-comfortable = More room per row
peers-tag = Tag
peers-order = Order
peers-order-made = the oldest first
peers-order-newest = the newest first
peers-order-name = by name
peers-order-name-down = by name, Z to A
peers-first-page = First page
peers-import = Import peers
peers-import-what = JSON as the API takes it, or a table whose first line names the same fields. At most 10,000 rows; all are made or none.
peers-import-wrong = { $count ->
    [one] { $shown } row is wrong
   *[other] { $shown } rows are wrong
}
peers-import-none = Nothing was made. Correct the rows below and import again.
peers-import-row = Row
peers-import-mistake = What is wrong
peers-import-file = File
peers-import-rows = Rows
peers-import-hint = network, name and public_key are needed; pool, node, tags, routes, address_v4, expires_at and others may be given.
peers-import-act = Import peers from these rows
peers-import-no-key = has no public_key: a private key made here could only be shown on a page of its own
peers-imported = { $count ->
    [one] { $shown } peer was made
   *[other] { $shown } peers were made
}
peer-key = Key
peer-address = Address
peer-node = Node
peer-owner = Owner
peer-in-out = In / out
peer-handshake = handshake
peer-no-handshake = no handshake yet
peer-isolated = Isolated
peer-disabled = Disabled
peer-expired = Expired
peer-refused = Refused
peer-waiting = Waiting
peer-cancel = Cancel
peer-keep = Keep as it is
peer-copy = Copy
peer-copied = Copied
peer-download = Download
bulk-enable = Enable
bulk-disable = Disable
bulk-delete = Delete
bulk-tag = Tag
bulk-untag = Untag
bulk-csv = Export CSV
bulk-ndjson = Export NDJSON
bulk-nothing = No peer was selected
bulk-enable-ask = { $count ->
    [one] Enable { $shown } peer?
   *[other] Enable { $shown } peers?
}
bulk-disable-ask = { $count ->
    [one] Disable { $shown } peer?
   *[other] Disable { $shown } peers?
}
bulk-delete-ask = { $count ->
    [one] Delete { $shown } peer?
   *[other] Delete { $shown } peers?
}
bulk-tag-ask = { $count ->
    [one] Tag { $shown } peer
   *[other] Tag { $shown } peers
}
bulk-untag-ask = { $count ->
    [one] Take a tag from { $shown } peer
   *[other] Take a tag from { $shown } peers
}
bulk-enable-button = { $count ->
    [one] Enable { $shown } peer
   *[other] Enable { $shown } peers
}
bulk-disable-button = { $count ->
    [one] Disable { $shown } peer
   *[other] Disable { $shown } peers
}
bulk-delete-button = { $count ->
    [one] Delete { $shown } peer
   *[other] Delete { $shown } peers
}
bulk-tag-button = { $count ->
    [one] Tag { $shown } peer
   *[other] Tag { $shown } peers
}
bulk-untag-button = { $count ->
    [one] Untag { $shown } peer
   *[other] Untag { $shown } peers
}
bulk-move = Move
bulk-move-ask = { $count ->
    [one] Move { $shown } peer?
   *[other] Move { $shown } peers?
}
bulk-move-button = { $count ->
    [one] Move { $shown } peer
   *[other] Move { $shown } peers
}
bulk-move-go = { $count ->
    [one] { $shown } peer goes to another node:
   *[other] { $shown } peers go to other nodes:
}
bulk-move-to = { $peers } to { $node }
bulk-move-configs = Their configurations change, and each is out of touch until its device has the new one.
bulk-move-stay = { $count ->
    [one] { $shown } peer stays on its node; only its pool changes.
   *[other] { $shown } peers stay on their nodes; only their pool changes.
}
bulk-move-already = { $count ->
    [one] { $shown } peer is there already and is left alone.
   *[other] { $shown } peers are there already and are left alone.
}
bulk-move-cannot = { $count ->
    [one] { $shown } peer cannot go there and stays where it is.
   *[other] { $shown } peers cannot go there and stay where they are.
}
bulk-moved = { $changed } of { $asked } peers moved; the others were there already, cannot go there or are gone
bulk-all-what = All peers that match the filter now. They are looked up again when you confirm.
bulk-ticked-what = The peers that you selected.
bulk-consequence = Consequence
bulk-lose-session = { $count ->
    [one] { $shown } peer has a session now and loses it within seconds.
   *[other] { $shown } peers have a session now and lose it within seconds.
}
bulk-nodes-told = { $count ->
    [one] { $shown } node is told.
   *[other] { $shown } nodes are told.
}
bulk-routes-lost = { $count ->
    [one] { $shown } network behind them is no longer reached.
   *[other] { $shown } networks behind them are no longer reached.
}
bulk-too-many = { $count ->
    [one] More than { $shown } peer: narrow the filter first.
   *[other] More than { $shown } peers: narrow the filter first.
}
bulk-moved-on = The number of peers changed meanwhile. Nothing was done: look again and confirm.
bulk-tag-name = Tag
bulk-tag-hint = 1 to 64 characters, no comma.
bulk-confirm = Type { $shown } to confirm
bulk-confirm-wrong = is not { $shown }: nothing was done
bulk-done = { $changed } of { $asked } peers changed; the others were so already or are gone
bulk-standing = { $done } of { $asked } done
bulk-progress-what = It goes on by itself. Stopping leaves the rest as it is.
bulk-go-on = Go on
bulk-stop = Stop here
peer-new-what = A device or a site that may come in. Its address and its node are chosen unless you name them.
peer-needs-network = A peer needs a network
peer-name-hint = Letters, digits and hyphens, as in a host name.
peer-network = Network
peer-node-chosen = The best placed
peer-key-browser = Made in this browser; nobody else ever has it
peer-key-browser-cannot = This browser cannot make X25519 keys here: it needs HTTPS and a recent version.
peer-key-pasted = The device has one; its public key is below
peer-key-controller = Made by the controller and shown once
peer-public-key = Public key
peer-public-key-hint = 44 characters of base64, only where the device has its own.
peer-key-missing = is missing: paste the public key, or choose another way
peer-mode = What goes through the tunnel
peer-mode-split = The network
peer-mode-full = Everything
peer-mode-node-only = The nodes alone
peer-owner-hint = Name of a user; may be empty.
peer-no-such-owner = is not the name of a user
peer-tags = Tags
peer-tags-hint = Apart by commas.
peer-expires = Expires
peer-expiry-past = is past
peer-not-a-time = is not a day and a time
peer-more = More
peer-address-v4 = IPv4 address
peer-address-v6 = IPv6 address
peer-address-hint = The next free one if empty.
peer-keepalive = Keepalive
peer-keepalive-hint = Seconds; 0 is off; as the network says if empty.
peer-not-seconds = is not 0 to 65535
peer-notes = Notes
peer-create = Create peer
peer-made = { $name } was created
peer-config = Configuration
peer-config-what = What its device needs to connect.
peer-config-text = Configuration text
peer-shown-once = The private key below is shown this once and kept nowhere. Copy, download or scan it now.
peer-config-hands-out = showing it hands it out, with its preshared keys
peer-go-to = Go to the peer
peer-key-once = The private key was made by the controller for this page, and is nowhere in wgfleet.
peer-key-unknown = The private key is known to the device alone: put it into its line.
peer-key-in-browser = The private key was made in this browser, is in the text above, and was never sent. Leaving this page forgets it.
peer-key-alone = The peer was made. This is its private key, shown this once; its configuration can be had later, without it:
peer-scan = Scan
peer-scan-whole = with the private key inside
peer-scan-without = without the private key
peer-scan-how = In the WireGuard app: add a tunnel, scan a QR code.
peer-scan-label = QR code of this configuration
peer-scan-too-long = The text is too long for a QR code: copy or download it instead.
peer-scan-undrawn = With the private key inside, no picture could be drawn here: copy or download the text instead.
peer-in-network = in network
peer-since = since
peer-edit = Edit
peer-enable = Enable
peer-disable = Disable
peer-isolate = Isolate
peer-release = Release
peer-delete = Delete peer
peer-move = Move
peer-move-ask = Move { $name }
peer-move-means = It keeps its addresses, key and tags. With another node its configuration changes, endpoint and server key above all, and its device is out of touch until it has the new one.
peer-move-same-pool = The same as now
peer-move-no-pool = No pool: any node of its network
peer-move-look = See what it means
peer-move-already = It is there already; nothing would change.
peer-move-stays = It stays on { $node }; only its pool changes.
peer-move-goes = It goes from { $from } to { $to }.
peer-move-act = Move peer
peer-was-moved = The peer was moved; its nodes are told
peer-was-there = The peer was there already; nothing changed
peer-isolate-means = Its key goes from every node before anything else is done there; it keeps its addresses.
peer-delete-ask = Delete { $name }?
peer-delete-means = Keys stop working within seconds and are removed wherever they are seen; addresses are held back for { $rest }.
peer-routes-lost = No longer reached
peer-nowhere = on no node
peer-last-handshake = Last handshake
peer-node-seen = its node was seen
peer-speaks-from = Speaks from
peer-port = port
peer-nowhere-yet = nowhere yet
peer-traffic-all = Traffic, all time
peer-as-node-sees = received / sent, seen from the node
peer-placed-on = Placed on
peer-no-pool = any node of its network
peer-places = Places
peer-state-on-node = On the node
peer-has-psk = preshared key
peer-applied = in sync at { $generation }
peer-not-applied = at { $applied }, needs { $wanted }
peer-facts = Details
peer-routes = Networks behind it
peer-routes-hint = Prefixes, one a line.
peer-stale = Stale configuration
peer-stale-why = The device still has the configuration handed out
peer-stale-act = Hand out the new one
peer-why = Why this node
peer-why-one = lowest load for its weight
peer-why-all = its pool places on every member
peer-decided = decided
peer-candidates = Candidates
peer-score = Score
peer-verdict = Verdict
peer-chosen = chosen
peer-others = Others:
lacked-tied = equally loaded, behind in order
lacked-loaded = more peers for its weight
lacked-same-node = another interface of its node has it
lacked-full = full
lacked-drained = weight 0
lacked-unreachable = not reachable
lacked-disabled = disabled
lacked-not-in-pool = not in the pool
peer-traffic = Traffic
peer-traffic-more = Longer and as a table
peer-traffic-of = Traffic of { $name }
peer-no-traffic = No traffic was measured in this time.
peer-over = Over
peer-over-day = A day
peer-over-week = 7 days
peer-over-month = 30 days
peer-received = received
peer-sent = sent
peer-as-table = As a table
peer-when = When
peer-sessions = Sessions
peer-sessions-of = Sessions of { $name }
peer-sessions-end = a session lasts from its first handshake to its last one, and ends after 3 min without
peer-sessions-all = All sessions
peer-sessions-all-of = All { $shown }
peer-sessions-none = None was seen yet.
peer-sessions-no-older = There are none before these.
peer-began = Began
peer-lasted = Lasted
peer-from = From
peer-still-open = { $length }, still open
peer-one-handshake = one handshake
peer-unknown-for = Unknown for
peer-unknown-why = its node does not answer
peer-node-gone = deleted
peer-unknown = unknown
peer-log-empty = Nothing was written down yet.
peer-edit-what = Its nodes are told only of what concerns them.
peer-new-key-hint = Another key locks the old one out at once.
peer-save = Save peer
peer-was-changed = The peer was changed
peer-was-enabled = The peer is enabled; its nodes let it in
peer-was-disabled = The peer is disabled; its nodes let it in no more
peer-was-isolated = The peer is isolated: its key goes before anything else
peer-was-released = The peer is released; its nodes let it in
peer-was-deleted = { $name } was deleted

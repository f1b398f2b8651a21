overview-calm = Nothing needs a person.
overview-needs = { $count ->
    [one] { $shown } thing needs a person.
   *[other] { $shown } things need a person.
}
nodes-online = Nodes online
offline = offline
in-error = in error
pending = new
isolated = isolated
changes-waiting = Changes on their way
interfaces-behind = interfaces behind what was asked
needs-a-person = Needs a person
look = Look
changed-lately = What changed lately
hash-title = hash of this row in the audit chain
level-critical = Critical
level-degraded = Degraded
level-ok = Fine
peers-online-now = Peers online
peers-online-why = handshake in the last 3 min
throughput-now = Throughput now
throughput-day = Throughput, 24 h
throughput-unknown = not measured lately
throughput-none = Nothing measured yet
throughput-none-why = What nodes carry is written down each minute.
received = received
sent = sent
received-from-peers = received from peers
sent-to-peers = sent to peers
hour = Hour
handshake-ages = Age of last handshake
handshake-ages-why = a silent tunnel is idle, not broken
ages-none = No peer on any node yet
pools-by-fill = Pools by fill
pools-all = All pools
limited-why = Your role reaches one pool or one network.
limited-gone = What your role was limited to is gone: ask an administrator.

# The audit log.
audit-summary = Everything that was changed, tried and refused, chained by hashes.
audit-export = Export
audit-rows = Newest first
audit-none = No row matches
actor = Who
action = Action
action-hint = Action, such as network.
object = Object
object-hint = Object, such as network/7
outcome = Outcome
any-outcome = Any outcome
outcome-done = Done
outcome-refused = Refused
outcome-failed = Failed
from-day = From day
until-day = To day
audit-chain = Chain of the audit log
chain-verify = Verify the chain
chain-why = Each row carries the hash of all before it: what is edited, removed or inserted shows.
chain-end = { $seq } rows, ending in
chain-holds = { $count ->
    [one] The chain holds: { $shown } row fits.
   *[other] The chain holds: { $shown } rows fit.
}
chain-broken = Broken at row { $name }
chain-end-row = Last row
hash = Hash
verified-at = Verified
chain-head-why = Keep the last hash somewhere else: it shows whether the log was written anew as a whole.

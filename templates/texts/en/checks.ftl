# What a test of a connection finds, by its code.
check-node_answers = The node answers
check-agent_of_version = Agent { $version } answers
check-agent_answers = An agent answers
check-both_sign = It accepts our signature, and signs its answers
check-only_we_sign = It accepts our signature; its own answers are believed without one
check-clock_unproven = An agent that does not sign does not prove what time it has
check-clock_agrees = Its clock agrees with ours
check-clock_ahead = Its clock is { $seconds } s ahead of ours
check-clock_behind = Its clock is { $seconds } s behind ours
check-not_looked_at = This could not be looked at
check-interface_there = { $peers ->
    [one] { $name } is there with { $peers } peer
   *[other] { $name } is there with { $peers } peers
}
check-interface_down = { $peers ->
    [one] { $name } is there with { $peers } peer, but its link is down
   *[other] { $name } is there with { $peers } peers, but its link is down
}
check-interface_of_a_kind = { $name } is there
check-has_a_key = It is WireGuard and has a key
check-has_no_key = { $name } has no key, so it is not WireGuard or not set up
check-not_wireguard = { $name } is not a WireGuard interface
check-no_such_interface = The agent serves no interface of this name ({ $code })
check-connection_refused = The agent cannot be reached: the connection was refused
check-no_route = The agent cannot be reached: there is no way to its address
check-no_address_of_name = The agent cannot be reached: its name has no address
check-no_answer_in_time = The agent cannot be reached: it did not answer in time
check-no_tls = The agent cannot be reached: there is no TLS connection that both sides accept
check-connection_ended = The agent cannot be reached: the connection ended before there was a whole answer
check-agent_busy = The agent takes no more requests at the moment
check-wrong_secret = The agent does not accept our signature ({ $code })
check-unsigned = The answer, with status { $status }, is not signed
check-bad_signature = The answer, with status { $status }, is not signed by this node for this request
check-not_an_agent = What answers there, with status { $status }, is no agent
check-too_early = The agent takes no write for another { $wait_s } s after its start
check-agent_refused = The agent refused ({ $code }): { $error }
check-answer_compressed = The answer cannot be read: it was compressed on its way
check-answer_too_large = The answer cannot be read: it has more than { $limit } bytes
check-answer_not_json = The answer cannot be read: it is not JSON
check-answer_misshapen = The answer cannot be read: line { $line }, column { $column } is not what the contract says
check-request_too_large = The request has { $bytes } bytes, and the agent takes { $limit }
check-unsendable = The request cannot be made
check-hint_tls = If the agent has TLS its address begins with https://, and it hangs up on whom its allow_from does not name
check-hint_headers = Something between us changes the headers of requests
check-hint_legacy = Mark the node as legacy only if its agent is known not to sign

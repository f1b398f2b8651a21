# Settings in force.
settings-summary = What this controller goes by. It is changed in the settings file, and by a restart.
settings-top = General
setting = Setting
value = Value
origin = Set by
meaning = Meaning
default = default
webhooks = Webhooks
webhooks-why = who is told of events
webhooks-none = No webhooks yet
webhooks-none-why = A webhook is told of events in signed requests. It is made by the API.
webhook-kinds = Events
waiting = Waiting

# Les réglages en vigueur.
settings-summary = Ce qui régit ce contrôleur. Cela se change dans le fichier de réglages, puis par un redémarrage.
settings-top = Général
setting = Réglage
value = Valeur
origin = Défini par
meaning = Sens
default = défaut
webhooks = Webhooks
webhooks-why = qui apprend les événements
webhooks-none = Pas encore de webhook
webhooks-none-why = Un webhook apprend les événements par des requêtes signées. Il se crée par l’API.
webhook-kinds = Événements
waiting = En attente

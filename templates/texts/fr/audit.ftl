# Le journal d’audit.
audit-summary = Tout ce qui a été changé, tenté et refusé, chaîné par empreintes.
audit-export = Exporter
audit-rows = Du plus récent au plus ancien
audit-none = Aucune ligne ne correspond
actor = Qui
action = Action
action-hint = Action, comme network.
object = Objet
object-hint = Objet, comme network/7
outcome = Issue
any-outcome = Toutes les issues
outcome-done = Fait
outcome-refused = Refusé
outcome-failed = Échoué
from-day = Du jour
until-day = Au jour
audit-chain = Chaîne du journal d’audit
chain-verify = Vérifier la chaîne
chain-why = Chaque ligne porte l’empreinte de toutes celles d’avant : ce qui est modifié, retiré ou inséré se voit.
chain-end = { $seq } lignes, jusqu’à
chain-holds = { $count ->
    [one] La chaîne tient : { $shown } ligne concorde.
   *[other] La chaîne tient : { $shown } lignes concordent.
}
chain-broken = Rompue à la ligne { $name }
chain-end-row = Dernière ligne
hash = Empreinte
verified-at = Vérifiée
chain-head-why = Garder la dernière empreinte ailleurs : elle montre si le journal a été entièrement réécrit.

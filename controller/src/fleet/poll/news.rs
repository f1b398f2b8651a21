//! What is told of nodes, each thing once: that one changed its state, and that its clock went wrong.

use serde_json::json;
use sqlx::PgConnection;

use super::verdict::Verdict;
use crate::db;
use crate::db::events::NewEvent;
use crate::domain::actor::Actor;
use crate::domain::reachability::Reachability;
use crate::fleet::{Result, audit};

pub(super) fn of_nodes(verdicts: &[&Verdict]) -> Vec<NewEvent> {
    let changes = verdicts.iter().filter_map(|one| changed(one));
    let skews = verdicts.iter().filter_map(|one| skewed(one));
    changes.chain(skews).collect()
}

/// Writes the events, then the audit rows: who writes those holds the end of the chain until the commit.
pub(super) async fn tell(
    db: &mut PgConnection,
    verdicts: &[&Verdict],
    events: Vec<NewEvent>,
) -> Result<()> {
    if !events.is_empty() {
        db::events::insert_all(&mut *db, &events).await?;
    }
    for verdict in verdicts {
        let Some(from) = verdict.changed_from else {
            continue;
        };
        let report = &verdict.report;
        let to = report.standing.reachability;
        let before = json!({"state": from});
        let after = json!({"state": to, "problem": report.problem});
        let object = format!("node/{}", report.node);
        let entry = audit::done(
            &Actor::controller(),
            kind(to),
            &object,
            Some(&before),
            Some(&after),
            report.polled_at,
        )?;
        audit::append(db, &entry).await?;
        tracing::info!(node.id = %report.node, node.name = %verdict.name, problem = report.problem,
            "node {} is {to}, and was {from}", verdict.name);
    }
    Ok(())
}

fn changed(verdict: &Verdict) -> Option<NewEvent> {
    let from = verdict.changed_from?;
    let report = &verdict.report;
    let to = report.standing.reachability;
    Some(NewEvent {
        topic: "nodes",
        kind: kind(to),
        object: format!("node/{}", report.node),
        data: json!({"node": report.node, "name": verdict.name, "from": from, "to": to,
            "problem": report.problem, "problem_text": report.problem_text}),
    })
}

fn skewed(verdict: &Verdict) -> Option<NewEvent> {
    let skew = verdict.skew.filter(|skew| skew.is_news)?;
    let node = verdict.report.node;
    Some(NewEvent {
        topic: "nodes",
        kind: "node.clock_skew",
        object: format!("node/{node}"),
        data: json!({"node": node, "name": verdict.name, "offset_s": skew.seconds}),
    })
}

fn kind(state: Reachability) -> &'static str {
    match state {
        Reachability::Pending => "node.pending",
        Reachability::Online => "node.online",
        Reachability::Offline => "node.offline",
        Reachability::Error => "node.error",
    }
}

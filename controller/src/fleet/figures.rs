//! Figures that are read when somebody asks for them, rather than kept up to date.

use super::{Fleet, Result};
use crate::db::figures;
use crate::metrics::{
    ConnectionLabels, ConnectionState, InterfaceLabels, PoolLabels, WorkKind, WorkLabels,
};

/// Sets the gauges to what is the case now.
pub async fn gather(fleet: &Fleet) -> Result<()> {
    let metrics = &fleet.metrics;
    let lags = figures::lags(&fleet.pool).await?;
    let behind = lags.iter().filter(|lag| lag.generations > 0).count();
    let work = |kind| {
        metrics
            .pending_work
            .get_or_create_owned(&WorkLabels { kind })
    };
    work(WorkKind::Interface).set(i64::try_from(behind).unwrap_or(i64::MAX));
    work(WorkKind::Webhook).set(figures::waiting_deliveries(&fleet.pool).await?);
    metrics.generation_lag.clear();
    for lag in lags {
        let labels = InterfaceLabels {
            node: lag.node,
            interface: lag.interface,
        };
        metrics
            .generation_lag
            .get_or_create(&labels)
            .set(lag.generations);
    }
    metrics.pool_members.clear();
    for (pool, members) in figures::pool_sizes(&fleet.pool).await? {
        metrics
            .pool_members
            .get_or_create(&PoolLabels { pool })
            .set(members);
    }
    let connections = |state| {
        metrics
            .database_connections
            .get_or_create_owned(&ConnectionLabels { state })
    };
    connections(ConnectionState::Open).set(fleet.pool.size().into());
    let idle = i64::try_from(fleet.pool.num_idle()).unwrap_or(i64::MAX);
    connections(ConnectionState::Idle).set(idle);
    Ok(())
}

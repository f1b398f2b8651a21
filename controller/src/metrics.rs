//! The controller's figures, in the text format that Prometheus reads.
//!
//! Others record into the fields; nothing here measures. A figure that is not known is left out rather
//! than written as 0: gauges that are read at the scrape stand in a family and exist only once set.
//! Labels come from closed sets and from names that operators chose, never from a request as it came.

mod labels;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

pub use labels::{
    ApplyLabels, ApplyOutcome, ConnectionLabels, ConnectionState, HttpLabels, InterfaceLabels,
    PollLabels, PollOutcome, PoolLabels, StatusClass, Task, TaskLabels, WorkKind, WorkLabels,
};

/// From a millisecond on the own machine to a call that waits for its timeout.
const LATENCY_BUCKETS_S: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Of the text that [`Metrics::encode`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Cheap to clone; all clones record into the same figures.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// How long nodes took to answer when asked how they are.
    pub poll_seconds: Histograms<PollLabels>,
    /// How long nodes took to take a change.
    pub apply_seconds: Histogram,
    pub apply_outcomes: Family<ApplyLabels, Counter>,
    /// Desired minus applied generation, set at the scrape; cleared before, so that an interface that
    /// is gone leaves no figure behind.
    pub generation_lag: Family<InterfaceLabels, Gauge>,
    /// What waits in the database; a kind is absent until it was counted.
    pub pending_work: Family<WorkLabels, Gauge>,
    pub pool_members: Family<PoolLabels, Gauge>,
    pub database_connections: Family<ConnectionLabels, Gauge>,
    pub http_seconds: Histograms<HttpLabels>,
    /// When each task last did its round without failing, in seconds since 1970.
    task_rounds: Family<TaskLabels, Gauge>,
    registry: Arc<Registry>,
}

impl Metrics {
    #[expect(
        clippy::new_without_default,
        reason = "a second registry beside the first would be a mistake that a default invites"
    )]
    pub fn new() -> Self {
        let latency: fn() -> Histogram = || Histogram::new(LATENCY_BUCKETS_S);
        let mut registry = Registry::with_prefix("wgfleet");
        let poll_seconds = Family::new_with_constructor(latency);
        registry.register_with_unit(
            "poll",
            "How long nodes took to answer when asked how they are",
            Unit::Seconds,
            poll_seconds.clone(),
        );
        let apply_seconds = latency();
        registry.register_with_unit(
            "apply",
            "How long nodes took to take a change",
            Unit::Seconds,
            apply_seconds.clone(),
        );
        let http_seconds = Family::new_with_constructor(latency);
        registry.register_with_unit(
            "http_request",
            "How long requests took",
            Unit::Seconds,
            http_seconds.clone(),
        );
        registry.register(
            "build",
            "The version that runs",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        Self {
            poll_seconds,
            apply_seconds,
            apply_outcomes: family(&mut registry, "apply_outcomes", "Changes by how they went"),
            generation_lag: family(
                &mut registry,
                "interface_generation_lag",
                "Changes that an interface has not taken yet",
            ),
            pending_work: family(&mut registry, "pending_work", "What waits to be done"),
            pool_members: family(&mut registry, "pool_members", "Nodes in a pool"),
            database_connections: family(
                &mut registry,
                "database_connections",
                "Connections to Postgres",
            ),
            http_seconds,
            task_rounds: family(
                &mut registry,
                "task_last_round_timestamp_seconds",
                "When a task last did its round without failing",
            ),
            registry: Arc::new(registry),
        }
    }

    /// Notes that a task has done its round.
    pub fn did_round(&self, task: Task, now: DateTime<Utc>) {
        let round = self.task_rounds.get_or_create_owned(&TaskLabels { task });
        round.set(now.timestamp());
    }

    /// When a task last did its round here; none: not since the start.
    pub fn last_round(&self, task: Task) -> Option<DateTime<Utc>> {
        let round = self.task_rounds.get(&TaskLabels { task })?.get();
        DateTime::from_timestamp(round, 0)
    }

    /// Writes all figures down as they are now.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn family<M: Metric + Default + Clone>(registry: &mut Registry, name: &str, help: &str) -> M {
    let family = M::default();
    registry.register(name, help, family.clone());
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_left_out_rather_than_zero() {
        let metrics = Metrics::new();

        let before = metrics.encode().unwrap();
        let kind = WorkKind::Interface;
        metrics
            .pending_work
            .get_or_create(&WorkLabels { kind })
            .set(0);
        let after = metrics.encode().unwrap();

        let line = "wgfleet_pending_work{kind=\"interface\"} 0\n";
        assert!(!before.contains("wgfleet_pending_work"), "{before}");
        assert!(after.contains(line), "{after}");
    }

    #[test]
    fn what_a_clone_records_is_encoded() {
        let metrics = Metrics::new();
        let clone = metrics.clone();

        let outcome = PollOutcome::Good;
        clone
            .poll_seconds
            .get_or_create(&PollLabels { outcome })
            .observe(0.02);
        clone.apply_seconds.observe(0.3);
        let outcome = ApplyOutcome::Mismatch;
        clone
            .apply_outcomes
            .get_or_create(&ApplyLabels { outcome })
            .inc();
        let labels = HttpLabels {
            route: "/nodes/{id}".into(),
            method: "GET",
            status: StatusClass::of(404),
        };
        clone.http_seconds.get_or_create(&labels).observe(0.004);

        let text = metrics.encode().unwrap();
        for line in [
            "wgfleet_poll_seconds_bucket{le=\"0.025\",outcome=\"good\"} 1",
            "wgfleet_apply_seconds_count 1",
            "wgfleet_apply_outcomes_total{outcome=\"mismatch\"} 1",
            "wgfleet_http_request_seconds_count{route=\"/nodes/{id}\",method=\"GET\",status=\"4xx\"} 1",
            concat!(
                "wgfleet_build_info{version=\"",
                env!("CARGO_PKG_VERSION"),
                "\"} 1"
            ),
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn an_interface_that_is_gone_leaves_no_figure() {
        let metrics = Metrics::new();
        let labels = InterfaceLabels {
            node: "fra-1".into(),
            interface: "wg0".into(),
        };
        metrics.generation_lag.get_or_create(&labels).set(3);
        assert!(metrics.encode().unwrap().contains("fra-1"));

        metrics.generation_lag.clear();

        assert!(!metrics.encode().unwrap().contains("fra-1"));
    }
}

//! Testing a connection, before a node is added or at any time after.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use protocol::InterfaceName;
use protocol::signing::Secret;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::agent::Diagnosis;
use crate::api::body::Body;
use crate::api::caller::{Caller, Writes};
use crate::api::fields::Fields;
use crate::api::problem::{Problem, WriteProblems};
use crate::api::texts;
use crate::domain::agent_url::AgentUrl;
use crate::domain::ids::NodeId;
use crate::domain::node::{KeyId, TIMEOUTS_MS};
use crate::fleet::nodes::Untried;
use crate::fleet::{self, Fleet};

/// How a node would be called.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestDraft {
    #[schema(value_type = texts::AgentUrl)]
    agent_url: String,
    #[schema(value_type = texts::Secret, write_only)]
    secret: String,
    #[schema(value_type = Option<texts::KeyId>)]
    key_id: Option<String>,
    /// The name of the interface to look at.
    #[schema(value_type = texts::InterfaceName)]
    interface: String,
    #[serde(default)]
    legacy: bool,
    #[schema(minimum = 100, maximum = 120_000)]
    timeout_ms: Option<u32>,
}

/// What to look at of a node.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestOfNode {
    /// The name of the interface; the node's first one if absent.
    #[schema(value_type = Option<texts::InterfaceName>)]
    interface: Option<String>,
}

/// Test the connection to a node that is not added yet. What is wrong is named in the answer, which is 200 even so.
#[utoipa::path(tag = "nodes", operation_id = "nodes.test_draft", request_body = TestDraft,
    responses((status = 200, body = Diagnosis), WriteProblems))]
#[post("/nodes/test")]
pub(crate) async fn test_draft(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    body: Body<TestDraft>,
) -> Result<HttpResponse, Problem> {
    let untried = body.0.parse()?;
    let diagnosis = fleet::nodes::test_untried(&fleet, &caller.call, untried).await;
    Ok(HttpResponse::Ok().json(diagnosis))
}

/// Test the connection to a node. What is wrong is named in the answer, which is 200 even so.
#[utoipa::path(tag = "nodes", operation_id = "nodes.test", params(("id" = i64, Path)), request_body = TestOfNode,
    responses((status = 200, body = Diagnosis), WriteProblems))]
#[post("/nodes/{id}/test")]
pub(crate) async fn test(
    caller: Caller<Writes>,
    fleet: Data<Fleet>,
    id: Path<NodeId>,
    body: Body<TestOfNode>,
) -> Result<HttpResponse, Problem> {
    let interface = body.0.parse()?;
    let diagnosis = fleet::nodes::test(&fleet, &caller.call, *id, interface).await?;
    Ok(HttpResponse::Ok().json(diagnosis))
}

impl TestDraft {
    pub(crate) fn parse(self) -> Result<Untried, Problem> {
        let mut fields = Fields::default();
        let agent_url = fields.take("agent_url", AgentUrl::parse(&self.agent_url));
        let secret = fields.take("secret", Secret::parse(&self.secret));
        let key_id = self
            .key_id
            .and_then(|text| fields.take("key_id", KeyId::parse(&text)));
        let interface = fields.take("interface", InterfaceName::parse(&self.interface));
        if let Some(timeout_ms) = self.timeout_ms {
            fields.number("timeout_ms", timeout_ms, TIMEOUTS_MS);
        }
        let parsed = agent_url.zip(secret).zip(interface);
        fields.finish(parsed.map(|((agent_url, secret), interface)| Untried {
            agent_url,
            secret,
            key_id,
            interface,
            legacy: self.legacy,
            timeout_ms: self.timeout_ms,
        }))
    }
}

impl TestOfNode {
    fn parse(self) -> Result<Option<InterfaceName>, Problem> {
        let mut fields = Fields::default();
        let interface = self
            .interface
            .and_then(|name| fields.take("interface", InterfaceName::parse(&name)));
        fields.finish(Some(interface))
    }
}

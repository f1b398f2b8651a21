//! What is said of answers once for all operations: in which form problems come, and which of the shared ones do not
//! apply to an operation of that shape. What only one operation answers stands with its route.

use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::{OpenApi, RefOr};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

pub(super) fn complete(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        for (reads, operation) in operations(item) {
            leave_out(operation, reads);
            as_problems(operation);
        }
    }
}

/// All of an item, each with whether it only reads.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let PathItem {
        get,
        post,
        put,
        patch,
        delete,
        ..
    } = item;
    let writes = [post, put, patch, delete];
    let writes = writes.into_iter().flatten().map(|write| (false, write));
    get.iter_mut().map(|read| (true, read)).chain(writes)
}

fn leave_out(operation: &mut Operation, reads: bool) {
    let parameters = operation.parameters.as_deref().unwrap_or(&[]);
    let has = |place: ParameterIn| {
        let is = |one: &RefOr<Parameter>| matches!(one, RefOr::T(one) if one.parameter_in == place);
        parameters.iter().any(is)
    };
    let (named, asked) = (has(ParameterIn::Path), has(ParameterIn::Query));
    let responses = &mut operation.responses.responses;
    // What is nowhere, and what has no version, needs a name first.
    if !named {
        responses.remove("404");
        responses.remove("412");
    }
    if reads && !asked {
        responses.remove("422");
    }
}

/// Every failure is a problem, and a problem says so.
fn as_problems(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        if status.starts_with(['4', '5'])
            && let Some(content) = response.content.shift_remove(JSON)
        {
            response.content.insert(PROBLEM.to_owned(), content);
        }
    }
}

//! No refusal repeats what was sent: whoever reads answers and logs is not who sent them.

use crate::support::Side;
use axum::body::Body;
use serde_json::{Map, Value, json};
use sluice_case_api::domain::Role;

/// What no message may hold, as a text and as a number.
const SENT: &str = "Zq9Sentinel";
const NUMBER: u64 = 7_352_914_068;

/// Every schema that one refers to, with the names of its fields.
fn fields(document: &Value, schema: &Value, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        fields(document, &document.pointer(pointer).cloned().unwrap_or_default(), found);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        found.push(name.clone());
        fields(document, field, found);
    }
    for part in ["allOf", "oneOf", "anyOf"] {
        for schema in schema[part].as_array().into_iter().flatten() {
            fields(document, schema, found);
        }
    }
    if schema["items"].is_object() {
        fields(document, &schema["items"], found);
    }
}

fn bodies(document: &Value, schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    fields(document, schema, &mut names);
    let wrong = [json!(SENT), json!(NUMBER), json!([SENT]), json!({ SENT: SENT }), json!({ SENT: NUMBER })];
    let mut bodies: Vec<String> = wrong.iter().map(Value::to_string).collect();
    bodies.extend(
        ["{\"Zq9Sentinel", "{\"Zq9Sentinel\" 1}", "Zq9Sentinel", "{\"reason\": Zq9Sentinel}"]
            .map(str::to_owned),
    );
    for name in names {
        // What else the body needs is a text, so that reading comes to the field in question too.
        let alone = Map::from_iter([("reason".to_owned(), json!("a test"))]);
        for value in &wrong {
            let mut body = alone.clone();
            body.insert(name.clone(), value.clone());
            bodies.push(Value::Object(body).to_string());
        }
    }
    bodies
}

#[tokio::test]
async fn no_refusal_repeats_what_was_sent() {
    let side = Side::new().await;
    let key = side.key("all", &Role::ALL);
    let document = serde_json::to_value(sluice_case_api::openapi()).unwrap();
    let mut refused = 0;
    let mut leaks = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            let mut targets = vec![path.replace('{', "Zq9Sentinel{").replace(['{', '}'], "")];
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                if parameter["in"] == "query" {
                    let name = parameter["name"].as_str().unwrap();
                    targets.push(format!("{}?{name}={SENT}", targets[0]));
                    targets.push(format!("{}?{name}=1&{name}={NUMBER}{SENT}", targets[0]));
                }
            }
            targets.push(format!("{}?{SENT}={SENT}&limit=%FF{SENT}", targets[0]));
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let mut sent = vec![String::new()];
            if schema.is_object() {
                sent = bodies(&document, schema);
            }
            for target in &targets {
                for body in &sent {
                    for kind in ["application/json", "Zq9Sentinel/json"] {
                        let request = side.request(&method, target, &key).header("content-type", kind);
                        let answer = side.send(request.body(Body::from(body.clone())).unwrap()).await;
                        let text = answer.text();
                        if answer.status.as_u16() < 400 {
                            continue;
                        }
                        refused += 1;
                        if text.contains(SENT) || text.contains(&NUMBER.to_string()) {
                            leaks.push(format!("{method} {target} {body}: {text}"));
                        }
                    }
                }
            }
        }
    }
    assert!(refused > 500, "{refused}");
    assert!(leaks.is_empty(), "{} of {refused}:\n{}", leaks.len(), leaks[..leaks.len().min(20)].join("\n"));
}

#[tokio::test]
async fn a_refusal_says_the_field_and_what_is_allowed_there() {
    let side = Side::new().await;
    let key = side.key("mei", &[Role::Mlro]);
    let answer = side.post(&key, "/v1/cases/CASE-000001/actions", json!({ "action": SENT })).await;
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("unknown variant, expected"), "{detail}");
    let answer =
        side.post(&key, "/v1/stream-time", json!({ "to": "2026-11-20T08:00:00Z", "because": SENT })).await;
    assert!(answer.text().contains("unknown field, expected `to` or `reason`"), "{}", answer.text());
}

/// The engine's time can be set back by whoever may, with a reason, and it leaves a leaf.
#[tokio::test]
async fn stream_time_is_set_back_with_a_leaf() {
    let side = Side::new().await;
    let to = crate::support::start();
    let body = json!({ "to": to, "reason": "a clock was ahead" });
    for (name, roles) in [("ada", Role::Analyst), ("ivan", Role::Investigator), ("olga", Role::Auditor)] {
        let key = side.key(name, &[roles]);
        side.post(&key, "/v1/stream-time", body.clone()).await.is_problem(403);
    }
    for (name, role) in [("mei", Role::Mlro), ("root", Role::Admin)] {
        let key = side.key(name, &[role]);
        side.post(&key, "/v1/stream-time", json!({ "to": to, "reason": " " })).await.is_problem(422);
        let ahead = to.plus(sluice_model::Span::days(1));
        side.post(&key, "/v1/stream-time", json!({ "to": ahead, "reason": "no" })).await.is_problem(409);
        let answer = side.post(&key, "/v1/stream-time", body.clone()).await;
        assert_eq!(answer.json(), json!({ "to": to, "control": "delivered" }));
    }
    let controls = side.world.controls();
    assert_eq!(controls.len(), 2, "one for each that was allowed");
    for control in controls {
        let sluice_model::Control::SetStreamTime(order) = control else { panic!("{control:?}") };
        assert_eq!((order.to, order.reason.as_str()), (to, "a clock was ahead"));
    }
    let auditor = side.key("olga", &[Role::Auditor]);
    let audit = side.send(side.request("GET", "/v1/audit", &auditor).body(Body::empty()).unwrap()).await;
    let set = audit.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|leaf| leaf["act"] == "set_stream_time")
        .count();
    assert_eq!(set, 2);
    let told = side.get("/v1/stream-time").await.json();
    assert_eq!((&told["stream_time"], &told["now"]), (&Value::Null, &json!(to)));
}

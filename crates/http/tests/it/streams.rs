use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::app::{TestApp, quick, send};
use crate::client::{End, PATIENCE, Socket};

#[tokio::test]
async fn a_notice_arrives_on_the_socket_and_a_cursor_resumes() {
    let app = TestApp::start().await;
    app.subscribe(json!({ "category": "earthquake" })).await;
    let mut socket = Socket::with_key(app.address, &app.admin).await;
    socket.say(json!({ "op": "subscribe", "sub": "a", "inbox": true })).await;
    let ready = socket.expect("ready").await;
    assert_eq!(ready["sub"], "a");
    let id = app.publish_one(json!({ "id": "1", "title": "quake", "category": "earthquake" })).await;
    let frame = socket.expect("notification").await;
    assert_eq!((&frame["sub"], &frame["notification"]["event_id"]), (&json!("a"), &json!(id)));
    assert_eq!(frame["notification"]["event"]["title"], "quake");
    drop(socket);

    app.publish_one(json!({ "id": "2", "title": "missed", "category": "earthquake" })).await;
    let mut socket = Socket::with_key(app.address, &app.admin).await;
    socket.say(json!({ "op": "subscribe", "sub": "b", "inbox": true, "cursor": frame["cursor"] })).await;
    socket.expect("ready").await;
    let missed = socket.expect("notification").await;
    assert_eq!(missed["notification"]["title"], "missed");
    assert_eq!(missed["cursor"], missed["notification"]["cursor"]);
    socket.say(json!({ "op": "ack", "sub": "b", "cursor": missed["cursor"] })).await;
    socket.say(json!({ "op": "ping" })).await;
    socket.expect("pong").await;
    assert_eq!(app.get("/v1/notifications").await.body["data"][0]["read"], true);
}

#[tokio::test]
async fn several_subscriptions_share_a_socket_and_end_one_by_one() {
    let app = TestApp::start().await;
    let mut socket = Socket::with_key(app.address, &app.viewer).await;
    socket.say(json!({ "op": "subscribe", "sub": "quakes", "filter": { "category": "earthquake" } })).await;
    socket.say(json!({ "op": "subscribe", "sub": "all", "filter": {}, "cursor": "0" })).await;
    socket.expect("ready").await;
    socket.expect("ready").await;
    app.publish_one(json!({ "title": "flood", "category": "flood" })).await;
    let frame = socket.expect("event").await;
    assert_eq!((&frame["sub"], &frame["event"]["title"]), (&json!("all"), &json!("flood")));
    socket.say(json!({ "op": "unsubscribe", "sub": "all" })).await;
    socket.say(json!({ "op": "ping" })).await;
    socket.expect("pong").await;
    app.publish_one(json!({ "title": "another flood", "category": "flood" })).await;
    app.publish_one(json!({ "title": "quake", "category": "earthquake" })).await;
    assert_eq!(socket.expect("event").await["sub"], "quakes");
}

#[tokio::test]
async fn what_is_wrong_in_a_frame_is_answered_and_what_is_no_frame_closes() {
    let app = TestApp::start().await;
    let mut socket = Socket::with_key(app.address, &app.admin).await;
    let wrong = [
        (json!({ "op": "subscribe", "sub": "a", "filter": { "category": "nope" } }), "invalid"),
        (json!({ "op": "subscribe", "sub": "a" }), "invalid"),
        (json!({ "op": "subscribe", "sub": "a", "inbox": true, "cursor": "x" }), "bad_cursor"),
        (json!({ "op": "subscribe", "sub": "a", "filter": {}, "cursor": "x" }), "bad_cursor"),
        (json!({ "op": "unsubscribe", "sub": "a" }), "not_found"),
        (json!({ "op": "ack", "sub": "a", "cursor": "1" }), "not_found"),
    ];
    for (frame, code) in wrong {
        socket.say(frame.clone()).await;
        let error = socket.expect("error").await;
        assert_eq!((&error["sub"], &error["problem"]["code"]), (&json!("a"), &json!(code)), "{frame}");
    }
    socket.say_text("hello").await;
    socket.expect("error").await;
    assert_eq!(socket.hear().await, Err(End::Code(4400)));
}

#[tokio::test]
async fn a_cursor_of_another_life_gives_a_gap() {
    let app = TestApp::start().await;
    app.publish_one(json!({ "title": "kept" })).await;
    let mut socket = Socket::with_key(app.address, &app.admin).await;
    socket.say(json!({ "op": "subscribe", "sub": "a", "filter": {}, "cursor": "9-0-5" })).await;
    socket.expect("ready").await;
    let gap = socket.expect("gap").await;
    assert_eq!((&gap["from"], &gap["reason"]), (&json!("9-0-5"), &json!("epoch")));
    assert_eq!(socket.expect("event").await["event"]["title"], "kept");
}

/// A cursor of another directory says nothing of what was read here, whatever its number.
#[tokio::test]
async fn an_inbox_cursor_of_another_life_gives_a_gap_and_everything_kept() {
    let app = TestApp::start().await;
    app.subscribe(json!({})).await;
    for number in 1..=3 {
        app.publish_one(json!({ "id": number.to_string(), "title": format!("kept {number}") })).await;
    }
    let mut socket = Socket::with_key(app.address, &app.admin).await;
    socket.say(json!({ "op": "subscribe", "sub": "a", "inbox": true, "cursor": "9-2" })).await;
    socket.expect("ready").await;
    let gap = socket.expect("gap").await;
    assert_eq!((&gap["from"], &gap["to"], &gap["reason"]), (&json!("9-2"), &json!("1-0"), &json!("epoch")));
    assert_eq!(socket.expect("notification").await["notification"]["title"], "kept 1");
    socket.say(json!({ "op": "ack", "sub": "a", "cursor": "9-2" })).await;
    loop {
        let frame = socket.hear().await.expect("a frame");
        if frame["op"] == "error" {
            break assert_eq!(frame["problem"]["code"], "bad_cursor", "{frame}");
        }
    }
    let stream = app.http.get(app.url("/v1/stream?inbox=true&after=9-2")).bearer_auth(&app.admin);
    let events = read_sse(stream.send().await.expect("opens"), 2).await;
    assert_eq!((events[0].0.as_str(), events[0].1.as_str()), ("gap", "1-0"));
    assert_eq!((events[1].0.as_str(), &events[1].2["title"]), ("notification", &json!("kept 1")));
    for wrong in ["2", "1-x", "-", "1--1", "+1-1"] {
        app.get(&format!("/v1/stream?inbox=true&after={wrong}")).await.is_problem(400, "bad_cursor");
    }
}

#[tokio::test]
async fn streams_end_when_their_key_is_revoked() {
    let app = TestApp::start().await;
    let made = app.post("/v1/keys", json!({ "role": "viewer", "user": "ann" })).await;
    let key = made.body["key"].as_str().expect("a key").to_owned();
    let mut socket = Socket::with_key(app.address, &key).await;
    socket.say(json!({ "op": "subscribe", "sub": "a", "inbox": true })).await;
    socket.expect("ready").await;
    let stream = app.http.get(app.url("/v1/stream?inbox=true")).bearer_auth(&key).send().await.expect("opens");
    let opened = send(app.http.post(app.url("/v1/session")).json(&json!({ "key": key }))).await;
    let cookie = opened.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let mut untouched = Socket::with_key(app.address, &app.viewer).await;

    let listed = app.get("/v1/keys").await;
    let ids: Vec<&Value> = listed.body["data"].as_array().expect("a list").iter().map(|key| &key["id"]).collect();
    assert!(ids.contains(&&made.body["id"]) && !listed.text.contains("tk_"), "{}", listed.text);
    let path = format!("/v1/keys/{}", made.body["id"].as_str().expect("an id"));
    assert_eq!(send(app.request(reqwest::Method::DELETE, &path)).await.status, 204);

    assert_eq!(socket.expect("bye").await["reason"], "revoked");
    assert_eq!(socket.hear().await, Err(End::Code(4401)));
    tokio::time::timeout(PATIENCE, stream.text()).await.expect("ends").expect("whole");
    let me = |request: reqwest::RequestBuilder| send(request);
    me(app.http.get(app.url("/v1/me")).bearer_auth(&key)).await.is_problem(401, "unauthenticated");
    me(app.http.get(app.url("/v1/me")).header("cookie", &cookie)).await.is_problem(401, "unauthenticated");
    send(app.request(reqwest::Method::DELETE, &path)).await.is_problem(404, "not_found");
    untouched.say(json!({ "op": "ping" })).await;
    untouched.expect("pong").await;
}

#[tokio::test]
async fn a_socket_says_who_it_is_in_its_first_frame_or_is_closed() {
    let app = TestApp::with(quick()).await;
    let mut socket = Socket::open(app.address, &[]).await.expect("opens");
    socket.say(json!({ "op": "auth", "token": app.viewer })).await;
    socket.say(json!({ "op": "subscribe", "sub": "a", "inbox": true })).await;
    socket.expect("ready").await;
    for first in [json!({ "op": "auth", "token": "tk_no" }), json!({ "op": "ping" })] {
        let mut socket = Socket::open(app.address, &[]).await.expect("opens");
        socket.say(first).await;
        assert_eq!(socket.hear().await, Err(End::Code(4401)));
    }
    let mut silent = Socket::open(app.address, &[]).await.expect("opens");
    assert_eq!(silent.hear().await, Err(End::Code(4401)));
    assert!(Socket::open(app.address, &[("authorization", "Bearer tk_no")]).await.is_err());
}

#[tokio::test]
async fn a_client_that_floods_or_falls_silent_is_closed() {
    let options = tidings_http::Options { ping_every: Duration::from_millis(20), ..quick() };
    let app = TestApp::with(options).await;
    let mut flood = Socket::with_key(app.address, &app.admin).await;
    for _ in 0..400 {
        flood.say(json!({ "op": "ping" })).await;
    }
    loop {
        match flood.hear().await {
            Ok(frame) => assert_eq!(frame["op"], "pong"),
            Err(end) => break assert_eq!(end, End::Code(4429)),
        }
    }
    // A client that does not read does not answer pings.
    let silent = Socket::with_key(app.address, &app.viewer).await;
    let closed = async {
        while !app.get("/metrics").await.text.contains("tidings_stream_clients{kind=\"websocket\"} 0") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.expect("the silent socket is closed");
    drop(silent);
}

#[tokio::test]
async fn a_slow_reader_loses_nothing() {
    let options = tidings_http::Options { socket_queue_bytes: 4 << 10, ..tidings_http::Options::default() };
    let app = TestApp::with(options).await;
    let mut socket = Socket::with_key(app.address, &app.admin).await;
    socket.say(json!({ "op": "subscribe", "sub": "a", "filter": {} })).await;
    socket.expect("ready").await;
    let long = "x".repeat(4_000);
    let count = 3_000;
    for chunk in 0..count / 500 {
        let events: Vec<Value> = (0..500)
            .map(|index| json!({ "id": format!("{}", chunk * 500 + index), "title": "slow", "texts": [{ "lang": "en", "description": long }] }))
            .collect();
        let answer = app.publish("application/json", Value::Array(events).to_string()).await;
        assert_eq!(answer.body["accepted"], 500, "{}", answer.text);
    }
    let mut next = 0;
    while next < count {
        let frame = socket.hear().await.expect("a frame");
        match frame["op"].as_str() {
            Some("lag") => assert!(frame["behind"].as_u64().is_some_and(|behind| behind > 0)),
            _ => {
                assert_eq!(frame["event"]["native_id"], json!(next.to_string()));
                next += 1;
            }
        }
    }
}

#[tokio::test]
async fn large_shapes_are_simplified_in_frames_and_whole_at_their_address() {
    let app = TestApp::start().await;
    let mut socket = Socket::with_key(app.address, &app.admin).await;
    socket.say(json!({ "op": "subscribe", "sub": "a", "filter": {} })).await;
    socket.expect("ready").await;
    let corner = |index: u32| {
        let angle = f64::from(index % 9_000) / 9_000.0 * std::f64::consts::TAU;
        [10.0 + angle.cos() * 5.0, 10.0 + angle.sin() * 5.0]
    };
    let ring: Vec<[f64; 2]> = (0..=9_000).map(corner).collect();
    let id =
        app.publish_one(json!({ "title": "wide", "geometry": { "type": "Polygon", "coordinates": [ring] } })).await;
    let frame = socket.expect("event").await;
    assert_eq!((&frame["truncated"], &frame["event"]["truncated"]), (&json!(true), &json!(true)));
    assert!(frame.to_string().len() < 64 << 10, "{}", frame.to_string().len());
    assert!(app.get(&format!("/v1/events/{id}")).await.text.len() > 64 << 10);
}

#[tokio::test]
async fn streams_are_counted_against_the_user() {
    let app = TestApp::with(quick()).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(Socket::with_key(app.address, &app.viewer).await);
    }
    assert!(Socket::open(app.address, &[("authorization", &format!("Bearer {}", app.viewer))]).await.is_err());
    let stream = app.http.get(app.url("/v1/stream?inbox=true")).bearer_auth(&app.viewer);
    send(stream).await.is_problem(429, "quota_reached");
    let mut late = Socket::open(app.address, &[]).await.expect("opens");
    late.say(json!({ "op": "auth", "token": app.viewer })).await;
    assert_eq!(late.hear().await, Err(End::Code(4429)));
}

#[tokio::test]
async fn a_stop_says_bye_and_ends_streams() {
    let app = TestApp::with(quick()).await;
    let mut socket = Socket::with_key(app.address, &app.admin).await;
    socket.say(json!({ "op": "subscribe", "sub": "a", "inbox": true })).await;
    socket.expect("ready").await;
    let stream = app.http.get(app.url("/v1/stream?inbox=true")).bearer_auth(&app.admin).send().await.expect("opens");
    app.stop().await;
    assert_eq!(socket.expect("bye").await["reason"], "drain");
    assert_eq!(socket.hear().await, Err(End::Code(1001)));
    let rest = tokio::time::timeout(PATIENCE, stream.text()).await.expect("ends");
    assert!(rest.expect("whole").starts_with("retry: 3000\nid: "));
}

/// The server-sent events of a stream, as (event, id, data).
async fn read_sse(response: reqwest::Response, count: usize) -> Vec<(String, String, Value)> {
    let mut chunks = response.bytes_stream();
    let (mut text, mut events) = (String::new(), Vec::new());
    while events.len() < count {
        let chunk =
            tokio::time::timeout(PATIENCE, chunks.next()).await.expect("in time").expect("more").expect("whole");
        text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        while let Some((block, rest)) = text.clone().split_once("\n\n") {
            text = rest.to_owned();
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
            if let Ok(data) = serde_json::from_str(&field("data: ")) {
                events.push((field("event: "), field("id: "), data));
            }
        }
    }
    events
}

#[tokio::test]
async fn sse_carries_bare_objects_and_resumes_by_last_event_id() {
    let app = TestApp::start().await;
    app.subscribe(json!({})).await;
    let open = async |query: &str, last: Option<&str>| {
        let mut request = app.http.get(app.url(&format!("/v1/stream?{query}"))).bearer_auth(&app.admin);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response
    };
    let live = open("category=flood", None).await;
    app.publish_one(json!({ "id": "1", "title": "quake", "category": "earthquake" })).await;
    app.publish_one(json!({ "id": "2", "title": "flood", "category": "flood" })).await;
    let events = read_sse(live, 1).await;
    assert_eq!((events[0].0.as_str(), &events[0].2["title"]), ("event", &json!("flood")));
    let inbox = read_sse(open("inbox=true", Some("0")).await, 2).await;
    assert_eq!(
        (inbox[0].0.as_str(), inbox[0].1.as_str(), &inbox[0].2["title"]),
        ("notification", "1-1", &json!("quake"))
    );
    let again = read_sse(open("inbox=true", Some("1-1")).await, 1).await;
    assert_eq!(again[0].2["title"], "flood");
    let filtered = read_sse(open("filter=%7B%22category%22%3A%22earthquake%22%7D&after=0", None).await, 1).await;
    assert_eq!(filtered[0].2["title"], "quake");
    let gap = read_sse(open("after=9-0-1", None).await, 1).await;
    assert_eq!((gap[0].0.as_str(), &gap[0].2["reason"]), ("gap", &json!("epoch")));
    app.get("/v1/stream?after=x").await.is_problem(400, "bad_cursor");
    app.get("/v1/stream?inbox=true&category=flood").await.is_problem(400, "bad_parameter");
}

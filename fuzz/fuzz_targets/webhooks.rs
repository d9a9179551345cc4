//! Signed JSON. What stands before the first NUL is the file that says how it is read; without one, it is ecommpay's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_codec::{
    ecommpay,
    webhook::{Secrets, WebhookFile},
};
use sluice_model::EventTime;

fuzz_target!(|data: &[u8]| {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(0);
    let (file, body) = data.split_at(at);
    let body = body.get(1..).unwrap_or_default();
    let Ok(secrets) = Secrets::new(vec!["a secret".to_owned().into()]) else { return };
    let _ = ecommpay::verify(body, &secrets);
    let _ = ecommpay::read(body);
    let Ok(WebhookFile { webhook, .. }) = WebhookFile::parse(&String::from_utf8_lossy(file)) else { return };
    let _ = webhook.verify(|_| Some("t=1,v1=00"), body, EventTime::from_micros(0), &secrets);
    let _ = webhook.read(body);
});

//! Input that wants to hurt.

use proptest::prelude::*;

use super::*;

/// Bodies that would hold up the tests for minutes by a quadratic rule anywhere.
#[test]
fn size_alone_does_not_make_it_slow() {
    let pair = |name: &str, number: usize| format!("<valueName>{name}{number}</valueName><value>{number}</value>");
    let many = |count: usize, piece: &dyn Fn(usize) -> String| (0..count).map(piece).collect::<String>();
    let bodies = [
        alert("", &many(40_000, &|number| format!("<parameter>{}</parameter>", pair("p", number)))),
        alert("", &many(40_000, &|number| format!("<parameter>{}</parameter>", pair("p", number % 2)))),
        alert("", &many(40_000, &|number| format!("<eventCode>{}</eventCode>", pair("e", number)))),
        alert("", &many(40_000, &|number| format!("<resource><uri>{number}</uri></resource>"))),
        alert("", &many(100_000, &|number| format!("<x{number}/>"))),
        alert(&format!("<references>{}</references>", many(100_000, &|number| format!("a,{number},b "))), ""),
        alert(
            "",
            &many(20_000, &|number| {
                let value = format!("/O.CON.KLKN.FA.W.{:04}.26{:04}T0000Z-260103T0315Z/", number % 10_000, number);
                format!("<parameter><valueName>VTEC</valueName><value>{value}</value></parameter>")
            }),
        ),
        area(&format!(
            "<polygon>{}</polygon>",
            many(60_000, &|number| {
                format!(
                    "{:.4},{} ",
                    f64::from(u32::try_from(number).expect("small")) / 1_000.0,
                    if number % 2 == 0 { 179 } else { 181 }
                )
            })
        )),
        area(&format!(
            "<polygon>{}</polygon>{}",
            many(2_000, &|number| format!("{},{number}.5 ", number % 2)),
            many(5_000, &|_| "<geocode><valueName>EXCLUDE_POLYGON</valueName><value>1,1 1,2 2,2 1,1</value></geocode>"
                .to_owned())
        )),
        "<a>".repeat(200_000),
        format!("<a{}/>", many(100_000, &|number| format!(" b{number}='1'"))),
        format!("<a>{}", "&amp;".repeat(200_000)),
    ];
    for body in bodies {
        assert_eq!(fates(&body).len(), 1);
    }
}

#[test]
fn too_many_blocks_are_refused() {
    let text = alert("", "");
    let (head, _) = text.split_once("<info>").expect("an info block");
    assert_eq!(refusal(format!("{head}{}</alert>", "<info/>".repeat(1_001))).reason, Reason::TooManyItems);
    assert_eq!(refusal(alert("", &"<area/>".repeat(20_001))).reason, Reason::TooManyItems);
}

proptest! {
    /// A good alert with a piece cut out and something else put in is read or refused.
    #[test]
    fn damaged_alerts_are_answered(
        at in 0.0..1.0_f64,
        length in 0_usize..40,
        piece in "(<[a-z:]{0,9}>|</?[a-zA-Z]{1,8}/?>|&[a-z#0-9]{0,5};?|<!\\[CDATA\\[|-->|[0-9 .,+-]{0,9}|\u{1}|é|\")",
    ) {
        let text = area("<polygon>1,179 1,-179 2,-179 1,179</polygon><circle>1,2 3</circle><altitude>1</altitude>");
        let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let start = floor((at * text.len() as f64) as usize);
        let end = floor(start + length);
        let _ = fates([&text[..start], &piece, &text[end..]].concat());
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = fates([b"<".as_slice(), &bytes].concat());
        let _ = fates(bytes);
    }
}

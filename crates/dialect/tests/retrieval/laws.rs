//! The laws, on arbitrary and made-up bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use signalbox_dialect::laws::{
    embeddings_answers_survive, embeddings_requests_survive, rerank_answers_survive,
    rerank_requests_survive,
};

/// Vectors in both encodings, most of them sound.
fn vector() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => vec(any::<f32>().prop_filter("finite", |one| one.is_finite()), 1..5)
            .prop_map(|floats| format!("{floats:?}")),
        2 => vec(any::<u8>(), 0..12).prop_map(|bytes| {
            format!("\"{}\"", signalbox_dialect::embeddings::encode(&bytes))
        }),
        1 => select(vec!["[]", "[1e39]", "null", "\"AACAPw==\"", "[1,[2]]", "[-0.0,1E-7]"])
            .prop_map(str::to_owned),
    ]
}

fn answer() -> impl Strategy<Value = String> {
    (vec((0..4u8, vector()), 0..4), any::<u64>(), 0..3u8).prop_map(|(vectors, tokens, form)| {
        let elements = |one: &dyn Fn(&(u8, String)) -> String| {
            vectors.iter().map(one).collect::<Vec<_>>().join(",")
        };
        match form {
            0 => {
                let data = elements(&|(index, v)| format!(r#"{{"index":{index},"embedding":{v}}}"#));
                format!(r#"{{"data":[{data}],"usage":{{"prompt_tokens":{tokens}}}}}"#)
            }
            1 => {
                let data = elements(&|(_, v)| format!(r#"{{"values":{v}}}"#));
                format!(r#"{{"embeddings":[{data}],"usageMetadata":{{"promptTokenCount":{tokens}}}}}"#)
            }
            _ => {
                let data = elements(&|(_, v)| v.clone());
                format!(r#"{{"embeddings":{{"float":[{data}]}},"meta":{{"billed_units":{{"input_tokens":{tokens}}}}}}}"#)
            }
        }
    })
}

fn ranking() -> impl Strategy<Value = String> {
    let one = (0..4u8, any::<f64>())
        .prop_map(|(index, score)| format!(r#"{{"index":{index},"relevance_score":{score:?}}}"#));
    (vec(one, 0..4), select(vec!["results", "data"]))
        .prop_map(|(list, name)| format!(r#"{{"{name}":[{}]}}"#, list.join(",")))
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..200)) {
        for law in [embeddings_answers_survive, embeddings_requests_survive,
            rerank_answers_survive, rerank_requests_survive] {
            prop_assert_eq!(law(&bytes), Ok(()));
        }
    }

    #[test]
    fn answers_are_read_and_written_without_loss(answer in answer()) {
        prop_assert_eq!(embeddings_answers_survive(answer.as_bytes()), Ok(()));
    }

    #[test]
    fn rankings_are_read_and_written_without_loss(answer in ranking()) {
        prop_assert_eq!(rerank_answers_survive(answer.as_bytes()), Ok(()));
    }
}

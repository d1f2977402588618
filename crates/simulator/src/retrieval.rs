//! Embeddings and reranks: vectors that follow from the text alone, scores that follow from shared
//! words. Shapes are those of the public interface, Gemini's `:embedContent` and
//! `:batchEmbedContents`, Cohere's `/embed`, and of `/rerank` as Cohere and Voyage have it.

use http::{Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ask::{Ask, Wrong};
use crate::base64;
use crate::behaviour::{Behaviour, Fault, UsageStyle};
use crate::body::ScriptBody;
use crate::dialect::{Carrier, Dialect, Failure, Route};
use crate::journal::Page;
use crate::perform::{draw, hang, pause, plain, refuse};

/// Numbers of a vector when the request names none.
const USUAL_DIMENSIONS: usize = 4;
/// Most numbers of a vector.
const MAX_DIMENSIONS: usize = 4096;
/// Documents in a search unit.
const DOCUMENTS_PER_UNIT: usize = 100;

/// Which shape is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Openai,
    GeminiBatch,
    GeminiSingle,
    Cohere,
    Rerank,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Retrieval {
    form: Form,
    model: String,
    prompt_tokens: u64,
    texts: Vec<String>,
    query: String,
    most: usize,
    dimensions: usize,
    base64: bool,
    /// Voyage's names of members.
    counts_tokens: bool,
}

fn form(path: &str) -> Option<Form> {
    let ends = [
        ("/embeddings", Form::Openai),
        (":batchEmbedContents", Form::GeminiBatch),
        (":embedContent", Form::GeminiSingle),
        ("/embed", Form::Cohere),
        ("/rerank", Form::Rerank),
    ];
    ends.into_iter().find(|(end, _)| path.ends_with(end)).map(|(_, form)| form)
}

/// Whether a path is one of these.
pub(crate) fn is_path(path: &str) -> bool {
    form(path).is_some()
}

/// Whose envelope the errors of a path have.
fn route(path: &str) -> Route {
    let dialect = match form(path) {
        Some(Form::GeminiBatch | Form::GeminiSingle) => Dialect::Gemini,
        Some(Form::Cohere | Form::Rerank) => Dialect::CohereV2,
        Some(Form::Openai) | None => Dialect::OpenaiChat,
    };
    Route { dialect, carrier: Carrier::Own, model: None, stream: Some(false), array: false }
}

/// Does what the model's name asks for.
pub(crate) async fn perform(
    seed: u64,
    number: u64,
    id: &str,
    path: &str,
    read: Option<Retrieval>,
    page: Page,
) -> Response<ScriptBody> {
    let route = route(path);
    let Some(read) = read else {
        let failure = Failure::refused(Wrong::new("The request has not what it needs."));
        return refuse(&route, &failure, page);
    };
    let behaviour = Behaviour::parse(&read.model);
    pause(behaviour.headers.saturating_add(behaviour.first)).await;
    let failure = |status| Failure { status, ..Failure::default() };
    if draw(seed, number) < behaviour.flaky {
        return refuse(&route, &failure(503), page);
    }
    match behaviour.fault {
        Some(Fault::Hang) => return hang(page).await,
        Some(Fault::Status { status, retry_after, code }) => {
            return refuse(&route, &Failure { code, retry_after, ..failure(status) }, page);
        }
        Some(Fault::WrongType) => return plain(StatusCode::OK, json!({"data": 7}), page),
        Some(Fault::Garbage | Fault::Html) => {
            return plain(StatusCode::OK, json!("no answer"), page);
        }
        Some(Fault::Inband(_) | Fault::RoleThenError) => {
            let error = route.dialect.error(Carrier::Own, &failure(503));
            return plain(StatusCode::OK, error, page);
        }
        _ => {}
    }
    let (answer, usage) = read.answer(id, behaviour.usage);
    if let Some(usage) = usage {
        page.sent_usage(&usage);
    }
    plain(StatusCode::OK, answer, page)
}

impl Retrieval {
    /// What the journal tells of it.
    pub(crate) fn ask(&self) -> Ask {
        Ask { model: self.model.clone(), prompt_tokens: self.prompt_tokens, ..Ask::default() }
    }

    /// Reads a body; `None` when it is not what the shape asks for.
    pub(crate) fn read(path: &str, body: &Value) -> Option<Self> {
        let form = form(path)?;
        let model = match form {
            Form::GeminiBatch | Form::GeminiSingle => model_of(path)?,
            _ => body.get("model")?.as_str()?.to_owned(),
        };
        let texts = match form {
            Form::Openai => inputs(body.get("input")?)?,
            Form::GeminiBatch => {
                body.get("requests")?.as_array()?.iter().map(content).collect::<Option<_>>()?
            }
            Form::GeminiSingle => vec![content(body)?],
            Form::Cohere => {
                body.get("input_type")?.as_str()?;
                inputs(body.get("texts").or_else(|| body.get("inputs"))?)?
            }
            Form::Rerank => inputs(body.get("documents")?)?,
        };
        let query = body.get("query").and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |pointer: &str| body.pointer(pointer)?.as_u64();
        let dimensions = [
            "/dimensions",
            "/output_dimension",
            "/requests/0/outputDimensionality",
            "/embedContentConfig/outputDimensionality",
        ];
        let dimensions = dimensions.into_iter().find_map(number).unwrap_or(0);
        let dimensions = match usize::try_from(dimensions).unwrap_or(usize::MAX) {
            0 => USUAL_DIMENSIONS,
            asked => asked.min(MAX_DIMENSIONS),
        };
        let top_k = number("/top_k");
        let most = top_k.or_else(|| number("/top_n")).and_then(|most| usize::try_from(most).ok());
        let asked = [body.get("encoding_format"), body.pointer("/embedding_types/0")];
        let bytes: usize = texts.iter().map(|text| text.len().saturating_add(query.len())).sum();
        Some(Self {
            form,
            model,
            prompt_tokens: u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX),
            most: most.unwrap_or(texts.len()),
            texts,
            query,
            dimensions,
            base64: asked.into_iter().flatten().any(|one| one == "base64"),
            counts_tokens: top_k.is_some(),
        })
    }

    /// The whole answer, and its usage as it is sent.
    pub(crate) fn answer(&self, id: &str, usage: UsageStyle) -> (Value, Option<Value>) {
        let count = match usage {
            UsageStyle::Absent => None,
            UsageStyle::Negative => Some(json!(-1)),
            UsageStyle::Huge => Some(json!(9_000_000_000_000_000_000_u64)),
            UsageStyle::Text => Some(json!("many")),
            UsageStyle::Vast => Some(json!(1e308)),
            UsageStyle::Null => Some(Value::Null),
            UsageStyle::Zero => Some(json!(0)),
            UsageStyle::True | UsageStyle::Twice => Some(json!(self.prompt_tokens)),
        };
        let vectors = || self.texts.iter().map(|text| self.vector(text));
        let (mut answer, place, usage) = match self.form {
            Form::Openai => {
                let data: Vec<Value> = vectors()
                    .enumerate()
                    .map(|(index, one)| json!({"object": "embedding", "index": index, "embedding": one}))
                    .collect();
                let answer = json!({"object": "list", "data": data, "model": self.model});
                (answer, "usage", json!({"prompt_tokens": count, "total_tokens": count}))
            }
            Form::GeminiBatch => {
                let data: Vec<Value> = vectors().map(|one| json!({"values": one})).collect();
                (json!({"embeddings": data}), "usageMetadata", json!({"promptTokenCount": count}))
            }
            Form::GeminiSingle => {
                let one = vectors().next();
                let answer = json!({"embedding": {"values": one}});
                (answer, "usageMetadata", json!({"promptTokenCount": count}))
            }
            Form::Cohere => {
                let kind = if self.base64 { "base64" } else { "float" };
                let data: Vec<Value> = vectors().collect();
                let answer = json!({"id": id, "embeddings": {kind: data}, "texts": self.texts});
                (answer, "meta", json!({"billed_units": {"input_tokens": count}}))
            }
            Form::Rerank if self.counts_tokens => {
                let answer = json!({"object": "list", "data": self.ranking(), "model": self.model});
                (answer, "usage", json!({"total_tokens": count}))
            }
            Form::Rerank => {
                let units = count.as_ref().map(|count| {
                    let honest = json!(self.texts.len().div_ceil(DOCUMENTS_PER_UNIT));
                    if *count == self.prompt_tokens { honest } else { count.clone() }
                });
                let answer = json!({"id": id, "results": self.ranking()});
                (answer, "meta", json!({"billed_units": {"search_units": units}}))
            }
        };
        let usage = count.is_some().then_some(usage);
        if let (Some(usage), Some(members)) = (&usage, answer.as_object_mut()) {
            members.insert(place.to_owned(), usage.clone());
        }
        (answer, usage)
    }

    /// Numbers that the text alone decides, each a quarter.
    fn vector(&self, text: &str) -> Value {
        let digest = Sha256::digest(text);
        let bytes = digest.iter().cycle().take(self.dimensions);
        let floats = bytes.map(|byte| (f32::from(*byte) - 128.0) / 4.0);
        if !self.base64 {
            return floats.map(Value::from).collect();
        }
        let bytes: Vec<u8> = floats.flat_map(f32::to_le_bytes).collect();
        Value::String(base64::encode(&bytes))
    }

    /// The documents by how many words they share with the query.
    fn ranking(&self) -> Vec<Value> {
        let words: Vec<&str> = self.query.split_whitespace().collect();
        let shared = |text: &str| text.split_whitespace().filter(|one| words.contains(one)).count();
        let mut ranked: Vec<(usize, usize)> =
            self.texts.iter().enumerate().map(|(index, text)| (index, shared(text))).collect();
        ranked.sort_by_key(|(_, shared)| std::cmp::Reverse(*shared));
        let score = |shared: usize| {
            let shared = u32::try_from(shared).unwrap_or(u32::MAX);
            1.0 - 1.0 / (f64::from(shared) + 1.0)
        };
        let result = |(index, shared)| json!({"index": index, "relevance_score": score(shared)});
        ranked.into_iter().take(self.most).map(result).collect()
    }
}

/// `…/models/NAME:method`, where a name may be percent-encoded.
fn model_of(path: &str) -> Option<String> {
    let (rest, _) = path.rsplit_once(':')?;
    let name = rest.rsplit('/').next()?;
    Some(name.replace("%2B", "+").replace("%2F", "/"))
}

/// Texts, token lists and contents alike, each as one text.
fn inputs(input: &Value) -> Option<Vec<String>> {
    let list = match input {
        Value::String(text) => return Some(vec![text.clone()]),
        Value::Array(list) if list.first().is_some_and(Value::is_number) => {
            return Some(vec![tokens(list)]);
        }
        other => other.as_array()?,
    };
    let one = |input: &Value| match input {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => Some(tokens(list)),
        Value::Object(_) => {
            let parts = input.get("content").and_then(Value::as_array).into_iter().flatten();
            let texts = parts.chain([input]).filter_map(|part| part.get("text")?.as_str());
            Some(texts.collect())
        }
        _ => None,
    };
    (!list.is_empty()).then(|| list.iter().map(one).collect::<Option<_>>())?
}

/// Four letters for each token, so that they count as one.
fn tokens(list: &[Value]) -> String {
    list.iter().map(|token| format!("{:04}", token.as_u64().unwrap_or(0) % 10_000)).collect()
}

/// The texts of Gemini's `content`.
fn content(request: &Value) -> Option<String> {
    let parts = request.pointer("/content/parts")?.as_array()?;
    Some(parts.iter().filter_map(|part| part.get("text")?.as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_the_same_vector_in_every_shape() {
        let asked = [
            ("/v1/embeddings", json!({"model": "m", "input": ["a b"]}), "/data/0/embedding"),
            (
                "/v1/models/m:batchEmbedContents",
                json!({"requests": [{"content": {"parts": [{"text": "a b"}]}}]}),
                "/embeddings/0/values",
            ),
            (
                "/v1/models/m:embedContent",
                json!({"content": {"parts": [{"text": "a b"}]}}),
                "/embedding/values",
            ),
            (
                "/v2/embed",
                json!({"model": "m", "input_type": "search_query", "texts": ["a b"]}),
                "/embeddings/float/0",
            ),
        ];
        let vectors = asked.map(|(path, body, place)| {
            let read = Retrieval::read(path, &body).unwrap();
            assert_eq!((read.model.as_str(), read.prompt_tokens), ("m", 1));
            read.answer("x", UsageStyle::True).0.pointer(place).unwrap().clone()
        });
        assert_eq!(vectors[0].as_array().unwrap().len(), USUAL_DIMENSIONS);
        assert!(vectors.iter().all(|one| *one == vectors[0]));
    }

    #[test]
    fn documents_that_share_words_come_first() {
        let body = json!({"model": "m", "query": "red fox", "documents": ["a dog", "a red fox"],
            "top_n": 1});
        let read = Retrieval::read("/v2/rerank", &body).unwrap();
        let (answer, usage) = read.answer("x", UsageStyle::True);
        assert_eq!(answer["results"].as_array().unwrap().len(), 1);
        assert_eq!(answer["results"][0]["index"], 1);
        assert_eq!(usage.unwrap(), json!({"billed_units": {"search_units": 1}}));
    }
}

"""Asks a running server as Cohere's and Hugging Face's own clients do: python texts_clients.py URL"""

import sys

import cohere
import numpy as np
from cohere.core.api_error import ApiError
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

QUERY = "great phone"
TEXTS = ["a phone", "bread is baked", "great", "the actor lived"]


def main(url):
    client = cohere.ClientV2(api_key="none", base_url=url)
    answer = client.rerank(model="rank-bert", query=QUERY, documents=TEXTS)
    scores = [result.relevance_score for result in answer.results]
    assert sorted(result.index for result in answer.results) == [0, 1, 2, 3]
    assert scores == sorted(scores, reverse=True) and answer.id, answer
    best = client.rerank(model="rank-bert", query=QUERY, documents=TEXTS, top_n=2, max_tokens_per_doc=4096, priority=1)
    assert [result.index for result in best.results] == [result.index for result in answer.results[:2]]
    for status, change in [(404, {"model": "nothing"}), (422, {"documents": []}), (422, {"model": "search"})]:
        try:
            client.rerank(**{"model": "rank-bert", "query": QUERY, "documents": TEXTS, **change})
        except ApiError as error:
            assert error.status_code == status and error.body["message"], error
        else:
            raise AssertionError(f"{change} was not refused")
    print("cohere: ranks, the best ones, errors")

    forms = ["float", "binary", "ubinary", "base64"]
    made = client.embed(model="search", texts=TEXTS, input_type="search_document", embedding_types=forms, output_dimension=64)
    floats = np.array(made.embeddings.float_)
    assert floats.shape == (4, 64) and np.allclose(np.linalg.norm(floats, axis=1), 1, atol=1e-5)
    assert (np.packbits(floats > 0, axis=-1) == made.embeddings.ubinary).all() and np.array(made.embeddings.binary).min() >= -128
    print("cohere: vectors, shorter, in bits")

    vectors = InferenceClient(f"{url}/embed").feature_extraction(TEXTS, normalize=True, truncate=True)
    assert vectors.shape[0] == 4 and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alike = InferenceClient(f"{url}/similarity").sentence_similarity(TEXTS[0], other_sentences=TEXTS)
    assert np.allclose(alike, vectors @ vectors[0], atol=1e-5)
    # Of TEI's answer for one text, this client takes the first label.
    best = InferenceClient(f"{url}/predict").text_classification("I love it", top_k=1)
    assert best.label == "positive" and best.score > 0.5, best
    def of(model):
        return InferenceClient(f"{url}/models/{model}")

    assert [one.label for one in of("sentiment").text_classification("I love it")] == ["positive", "negative"]
    assert np.allclose(of("search").feature_extraction(TEXTS, normalize=True, truncate=True), vectors, atol=1e-6)
    assert np.allclose(of("search").sentence_similarity(TEXTS[0], other_sentences=TEXTS), alike, atol=1e-5)
    print("huggingface_hub: vectors, similarity, labels, by task and by model")

    try:
        InferenceClient(f"{url}/embed").feature_extraction("phone " * 2000)
    except HfHubHTTPError as error:
        assert error.response.status_code == 422 and error.response.json()["error_type"] == "Validation"
    else:
        raise AssertionError("a text of too many tokens was not refused")
    print("errors, all answered")


if __name__ == "__main__":
    main(sys.argv[1])

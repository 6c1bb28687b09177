"""Language: transformers, tokenizers, sentence-transformers, PEFT, spaCy, gensim, NLTK, sentencepiece, fastText.

Everything is made from a configuration and a page of text of our own; nothing is fetched.
"""

# ruff: noqa: E501 - tables, one entry a line

import pickle
import tempfile
from pathlib import Path

from tests.corpora.models.benign.recipe import recipe

_TEXT = [
    "the model reads a sentence and says what it is about",
    "a second sentence follows the first and is shorter",
    "nobody knows how many words are enough",
    "we keep the weights small so that the file stays small",
] * 8

_CHAT = """{%- for message in messages %}
{%- if loop.first and message['role'] != 'system' %}{{- '<|system|>\\n' + default_system | default('') + '\\n' }}{% endif %}
{{- '<|' + message['role'] + '|>\\n' + message['content'] | trim + eos_token + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|assistant|>\\n' }}{% endif %}"""


def _words(kind: str = "wordpiece"):
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    if kind == "bpe":
        tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=special)
    elif kind == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=80, special_tokens=special, unk_token="[UNK]")
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=120, special_tokens=special)
    tokenizer.train_from_iterator(_TEXT, trainer)
    return tokenizer


@recipe("tokenizers", "wordpiece.json", "a WordPiece tokenizer")
def _(path):
    _words().save(str(path))


@recipe("tokenizers", "bpe.json", "a byte-level BPE tokenizer")
def _(path):
    _words("bpe").save(str(path))


@recipe("tokenizers", "unigram.json", "a Unigram tokenizer")
def _(path):
    _words("unigram").save(str(path))


@recipe("tokenizers", "wordpiece.pkl", "a tokenizer, pickled")
def _(path):
    path.write_bytes(pickle.dumps(_words()))


def _bert():
    from transformers import BertConfig, BertModel

    return BertModel(
        BertConfig(
            vocab_size=120,
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=32,
        )
    )


def _llama():
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=120,
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            intermediate_size=16,
            max_position_embeddings=32,
        )
    )


def _fast(chat: bool = False):
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_words(),
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        eos_token="[SEP]",
    )
    if chat:
        tokenizer.chat_template = _CHAT
    return tokenizer


@recipe("transformers", "bert-safetensors", "a repository: BERT in safetensors with its tokenizer")
def _(path):
    _bert().save_pretrained(path)
    _fast().save_pretrained(path)
    (path / "README.md").write_text(
        "---\nlicense: apache-2.0\ntags: [feature-extraction]\n---\n# A small BERT\n\nMade for tests.\n"
    )


@recipe("transformers", "bert-pytorch", "a repository: BERT in pytorch_model.bin, with training arguments")
def _(path):
    import torch
    from transformers import TrainingArguments

    model = _bert()
    path.mkdir()
    model.config.save_pretrained(path)
    torch.save(model.state_dict(), path / "pytorch_model.bin")
    torch.save(TrainingArguments(output_dir="out", use_cpu=True), path / "training_args.bin")


@recipe("transformers", "llama-chat", "a repository: a chat model with its template, in shards")
def _(path):
    _llama().save_pretrained(path, max_shard_size="4KB")
    _fast(chat=True).save_pretrained(path)


@recipe("transformers", "training-checkpoint", "a trainer's checkpoint: optimizer, schedule, random states")
def _(path):
    import random

    import numpy as np
    import torch
    from transformers import get_linear_schedule_with_warmup

    model = _bert()
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = get_linear_schedule_with_warmup(optimizer, 2, 10)
    model(input_ids=torch.ones(1, 4, dtype=torch.long)).last_hidden_state.sum().backward()
    optimizer.step()
    model.save_pretrained(path)
    torch.save(optimizer.state_dict(), path / "optimizer.pt")
    torch.save(schedule.state_dict(), path / "scheduler.pt")
    states = {
        "python": random.getstate(),
        "numpy": np.random.RandomState(1).get_state(),
        "cpu": torch.random.get_rng_state(),
    }
    torch.save(states, path / "rng_state.pth")


@recipe("transformers", "config.pkl", "a configuration object, pickled")
def _(path):
    path.write_bytes(pickle.dumps(_bert().config))


@recipe("transformers", "model.pt", "a whole transformers model, by torch.save")
def _(path):
    import torch

    torch.save(_bert(), path)


@recipe("transformers", "tokenizer.pkl", "a fast tokenizer, pickled")
def _(path):
    path.write_bytes(pickle.dumps(_fast()))


@recipe("peft", "lora", "a LoRA adapter in safetensors")
def _(path):
    from peft import LoraConfig, get_peft_model

    get_peft_model(
        _llama(), LoraConfig(r=2, target_modules=["q_proj", "v_proj"], base_model_name_or_path="llama-chat")
    ).save_pretrained(path)


@recipe("peft", "lora-bin", "a LoRA adapter in a torch file")
def _(path):
    from peft import LoraConfig, get_peft_model

    get_peft_model(_llama(), LoraConfig(r=2, target_modules=["q_proj"])).save_pretrained(
        path, safe_serialization=False
    )


@recipe("sentence-transformers", "pooled", "a sentence encoder: BERT and mean pooling")
def _(path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer

    with tempfile.TemporaryDirectory() as name:
        _bert().save_pretrained(name)
        _fast().save_pretrained(name)
        words = Transformer(name)
        SentenceTransformer(modules=[words, Pooling(8), Normalize()], device="cpu").save(str(path))


@recipe("spacy", "blank", "a blank pipeline with rules")
def _(path):
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("entity_ruler").add_patterns([{"label": "MODEL", "pattern": "BERT"}])
    pipeline.tokenizer.explain("a")
    pipeline.to_disk(path, exclude=["vocab"])


@recipe("spacy", "textcat", "a trained text classifier's component")
def _(path):
    import spacy
    from spacy.training import Example

    pipeline = spacy.blank("xx")
    textcat = pipeline.add_pipe(
        "textcat",
        config={
            "model": {
                "@architectures": "spacy.TextCatBOW.v3",
                "exclusive_classes": True,
                "ngram_size": 1,
                "no_output_layer": False,
                "length": 64,
            }
        },
    )
    textcat.add_label("A")
    textcat.add_label("B")
    examples = [
        Example.from_dict(pipeline.make_doc(t), {"cats": {"A": i % 2, "B": 1 - i % 2}})
        for i, t in enumerate(_TEXT)
    ]
    pipeline.initialize(lambda: examples)
    pipeline.to_disk(path, exclude=["vocab"])


@recipe("spacy", "documents.spacy", "parsed documents in spaCy's binary form")
def _(path):
    import spacy
    from spacy.tokens import DocBin

    pipeline = spacy.blank("en")
    DocBin(docs=[pipeline(text) for text in _TEXT[:4]]).to_disk(path)


def _sentences():
    return [line.split() for line in _TEXT]


@recipe("gensim", "word2vec.model", "Word2Vec by gensim's own save")
def _(path):
    from gensim.models import Word2Vec

    Word2Vec(_sentences(), vector_size=8, min_count=1, workers=1, seed=1).save(str(path))


@recipe("gensim", "vectors.kv", "word vectors by gensim's own save")
def _(path):
    from gensim.models import Word2Vec

    Word2Vec(_sentences(), vector_size=8, min_count=1, workers=1, seed=1).wv.save(str(path))


@recipe("gensim", "vectors.txt", "word vectors as text")
def _(path):
    from gensim.models import Word2Vec

    Word2Vec(_sentences(), vector_size=8, min_count=1, workers=1, seed=1).wv.save_word2vec_format(str(path))


@recipe("gensim", "vectors.bin", "word vectors in word2vec's binary form")
def _(path):
    from gensim.models import Word2Vec

    Word2Vec(_sentences(), vector_size=8, min_count=1, workers=1, seed=1).wv.save_word2vec_format(
        str(path), binary=True
    )


@recipe("gensim", "lda", "a topic model with its dictionary")
def _(path):
    from gensim.corpora import Dictionary
    from gensim.models import LdaModel

    path.mkdir()
    words = Dictionary(_sentences())
    words.save(str(path / "words.dict"))
    LdaModel([words.doc2bow(s) for s in _sentences()], num_topics=2, id2word=words, random_state=1).save(
        str(path / "lda.model")
    )


@recipe("gensim", "tfidf.model", "term weights")
def _(path):
    from gensim.corpora import Dictionary
    from gensim.models import TfidfModel

    words = Dictionary(_sentences())
    TfidfModel([words.doc2bow(s) for s in _sentences()]).save(str(path))


@recipe("nltk", "naive-bayes.pickle", "a naive Bayes classifier, pickled")
def _(path):
    from nltk import NaiveBayesClassifier

    path.write_bytes(
        pickle.dumps(
            NaiveBayesClassifier.train([({"long": len(t) > 40}, str(i % 2)) for i, t in enumerate(_TEXT)])
        )
    )


@recipe("nltk", "tagger.pickle", "a tagger with a back-off, pickled")
def _(path):
    from nltk import DefaultTagger, UnigramTagger

    tagged = [[(word, "N" if len(word) > 3 else "F") for word in sentence] for sentence in _sentences()]
    path.write_bytes(pickle.dumps(UnigramTagger(tagged, backoff=DefaultTagger("N"))))


@recipe("nltk", "frequencies.pkl", "frequencies of words, pickled")
def _(path):
    from nltk import ConditionalFreqDist, FreqDist

    words = [word for sentence in _sentences() for word in sentence]
    path.write_bytes(pickle.dumps([FreqDist(words), ConditionalFreqDist((len(w), w) for w in words)]))


@recipe("nltk", "punkt.pickle", "a sentence tokenizer, pickled")
def _(path):
    from nltk.tokenize.punkt import PunktSentenceTokenizer

    path.write_bytes(pickle.dumps(PunktSentenceTokenizer(". ".join(_TEXT))))


@recipe("sentencepiece", "words.model", "a sentencepiece model")
def _(path):
    import sentencepiece

    with path.open("wb") as out:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(_TEXT),
            model_writer=out,
            vocab_size=50,
            hard_vocab_limit=False,
            minloglevel=3,
        )


@recipe("fasttext-wheel", "classifier.ftz", "a fastText classifier, quantised")
def _(path):
    import fasttext

    with tempfile.TemporaryDirectory() as name:
        lines = Path(name) / "lines.txt"
        lines.write_text("".join(f"__label__{i % 2} {text}\n" for i, text in enumerate(_TEXT)))
        model = fasttext.train_supervised(str(lines), dim=4, epoch=1, bucket=10, verbose=0, thread=1)
        model.save_model(str(path))

"""The steps of the main job that need more than a line, each in a module of its own."""

from __future__ import annotations

from shoal.steps.beside import learn_meanwhile as learn_meanwhile
from shoal.steps.beside import open_helper as open_helper
from shoal.steps.choosing import Kept as Kept
from shoal.steps.choosing import choose_kept as choose_kept
from shoal.steps.choosing import keep_best as keep_best
from shoal.steps.ensemble import alone as alone
from shoal.steps.ensemble import make_ensemble as make_ensemble
from shoal.steps.posing import Posed as Posed
from shoal.steps.posing import check_augmentation as check_augmentation
from shoal.steps.posing import check_input_errors as check_input_errors
from shoal.steps.posing import check_replicas as check_replicas
from shoal.steps.posing import deal_folds as deal_folds
from shoal.steps.posing import loss_of as loss_of
from shoal.steps.posing import pose as pose
from shoal.steps.posing import prepare as prepare
from shoal.steps.posing import row_weights as row_weights
from shoal.steps.posing import stem_of as stem_of
from shoal.steps.proposing import choose_space as choose_space
from shoal.steps.proposing import count_candidates as count_candidates
from shoal.steps.proposing import networks_each as networks_each
from shoal.steps.proposing import propose_members as propose_members
from shoal.steps.reading import kind_of as kind_of
from shoal.steps.reading import read as read
from shoal.steps.reading import read_checked as read_checked
from shoal.steps.session import Session as Session
from shoal.steps.session import interrupted as interrupted
from shoal.steps.timing import Timing as Timing
from shoal.steps.training import keep_training as keep_training
from shoal.steps.training import shuffle_labels as shuffle_labels
from shoal.steps.training import train_members as train_members
from shoal.steps.training import train_replicas as train_replicas
from shoal.steps.writing import provenance_of as provenance_of
from shoal.steps.writing import write_config as write_config
from shoal.steps.writing import write_run as write_run

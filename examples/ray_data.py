"""Fingerprints with Ray Data: a Parquet file with a column `uri` in, a folder of Parquet files out.

python ray_data.py files.parquet results
"""

import sys

import ray

from auralis_fp.cluster import analyze_table

files, results = sys.argv[1:]
uris = ray.data.read_parquet(files, columns=["uri"]).repartition(target_num_rows_per_block=100)
rows = uris.map_batches(analyze_table, batch_format="pyarrow", batch_size=100, num_cpus=1)
rows.write_parquet(results)

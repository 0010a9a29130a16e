"""Fingerprints with Spark: a Parquet file with a column `uri` in, a folder of Parquet files out.

    spark-submit spark.py files.parquet results

Outside of `spark-submit`, Spark runs in this process.
"""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from auralis_fp.cluster import RESULT_SCHEMA, analyze_batches

files, results = sys.argv[1:]
spark = SparkSession.builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", 100).getOrCreate()
uris = spark.read.parquet(files).select("uri").repartition(spark.sparkContext.defaultParallelism * 4)
rows = uris.mapInArrow(analyze_batches, from_arrow_schema(RESULT_SCHEMA))
rows.write.mode("overwrite").parquet(results)

using System;
using System.Collections.Generic;

namespace ArrSession
{
    /// <summary>What a new session shall be.</summary>
    public sealed class CreateSessionOptions
    {
        /// <summary>The size of the server. Default <see cref="SessionSize.Standard"/>.</summary>
        public SessionSize Size { get; set; } = SessionSize.Standard;

        /// <summary>
        /// After how long ready the session ends by itself: 1 s to 365 days, rounded up to whole seconds; with REST 2021-01-01 up
        /// to a day, rounded up to whole minutes. No default: it bounds what a forgotten session costs.
        /// </summary>
        public TimeSpan MaxLease { get; set; }

        /// <summary>
        /// The id that the session shall have: 1 to 256 letters, digits, hyphens and underscores. Null: a new GUID. Only with
        /// REST 2021-01-01; with REST v1 the service chooses it.
        /// </summary>
        public string SessionId { get; set; }

        /// <summary>
        /// Models to load before the session is ready: the URLs of their asset containers, at most 1000. Null: none. Only with
        /// REST v1.
        /// </summary>
        public IList<string> Models { get; set; }

        /// <summary>
        /// Further members for the request, as a JSON object of at most 64 KiB: for what a service takes that the library does
        /// not know. It cannot change lease, size and models. Null: none.
        /// </summary>
        public string ExtraJson { get; set; }

        /// <summary>Sets a native struct up. The texts in it belong to <paramref name="texts"/>.</summary>
        internal unsafe void Fill(arr_session_create_options* options, NativeTexts texts)
        {
            *options = Blank.CreateOptions;
            options->size = (int)Size;
            options->max_lease_seconds = Durations.Seconds(MaxLease, "MaxLease");
            options->session_id = texts.Add(SessionId, "SessionId");
            options->extra_json = texts.Add(ExtraJson, "ExtraJson");
            // Counted once: another thread may add to the list meanwhile.
            IList<string> models = Models;
            int count = models == null ? 0 : models.Count;
            if (count > 0)
            {
                byte** pointers = texts.AddPointers(count);
                for (int i = 0; i < count; i++)
                {
                    pointers[i] = texts.Add(models[i], "Models");
                }
                options->models = pointers;
                options->model_count = (UIntPtr)(uint)count;
            }
        }
    }

    /// <summary>Which session is fit to go on with.</summary>
    public sealed class ResumeOptions
    {
        /// <summary>How much of its lease must be left at least, in whole seconds. Default 10 minutes.</summary>
        public TimeSpan MinRemaining { get; set; } = TimeSpan.FromMinutes(10);

        /// <summary>
        /// The id of the session to look at first, for example one that the application has kept itself. Null: none.
        /// </summary>
        public string SessionId { get; set; }

        internal unsafe void Fill(arr_resume_options* options, NativeTexts texts)
        {
            *options = Blank.ResumeOptions;
            options->min_remaining_seconds = Durations.Seconds(MinRemaining, "MinRemaining");
            options->session_id = texts.Add(SessionId, "SessionId");
        }
    }
}

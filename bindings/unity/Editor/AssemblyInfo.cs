using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("ArrSession.Editor.Tests")]
